package main

import (
	"net/http"
	"sync"
	"time"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/examples/internal/specimen"
	"github.com/mobid-io/mid-go/midtest"
)

// people use MID with a fake server: they scan and approve on the phone, check
// documents, and sign. The rest of the program does not know whether they are
// real.
type people struct {
	server *midtest.Server
	home   chan struct{} // closed when it is time to leave
	gone   sync.WaitGroup
}

// pace is how long the people think before they do the next thing.
const pace = 350 * time.Millisecond

func invitePeople() *people {
	p := &people{server: midtest.NewServer(), home: make(chan struct{})}
	// A failure that passes, to show a retry.
	p.server.Inject(midtest.Fault{Path: "/auth/verify", Status: http.StatusServiceUnavailable})
	p.gone.Go(func() {
		for {
			select {
			case <-time.After(pace):
				p.act()
			case <-p.home:
				return
			}
		}
	})
	return p
}

func (p *people) leave() {
	close(p.home)
	p.gone.Wait()
	p.server.Close()
}

// act has everyone do the next thing. Its calls fail only for what has ended in
// the meantime.
func (p *people) act() {
	for _, session := range p.server.AuthSessions() {
		switch session.Status {
		case mid.AuthPending:
			_ = p.server.Scan(session.ID)
		case mid.AuthScanned:
			_ = p.server.Approve(session.ID, "user_isolde")
		}
	}
	for _, verification := range p.server.Verifications() {
		_ = p.server.CompleteVerification(verification.ID, midtest.Outcome{ExtractedData: specimen.Holder})
	}
	for _, session := range p.server.SigningSessions() {
		for _, signer := range session.Signers {
			if signer.Status == mid.SignerAwaiting {
				_ = p.server.Sign(session.ID, signer.Email)
				break // the next signer takes a moment too
			}
		}
	}
}
