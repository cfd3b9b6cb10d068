package main

import (
	"sync"
	"time"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

// connectFake starts a fake MID server and its signers, and returns a client
// that polls more often than is right for the real one.
func connectFake() (*mid.Client, mid.PollOptions, func()) {
	server := midtest.NewServer()
	home := make(chan struct{})
	var gone sync.WaitGroup
	gone.Go(func() {
		for {
			select {
			case <-time.After(700 * time.Millisecond):
				signNext(server)
			case <-home:
				return
			}
		}
	})
	leave := func() {
		close(home)
		gone.Wait()
		server.Close()
	}
	return server.Client(), mid.PollOptions{MaxInterval: 100 * time.Millisecond}, leave
}

// signNext has one more signer sign. It only fails for a session that has
// ended in the meantime.
func signNext(server *midtest.Server) {
	for _, session := range server.SigningSessions() {
		for _, signer := range session.Signers {
			if signer.Status == mid.SignerAwaiting {
				_ = server.Sign(session.ID, signer.Email)
				return
			}
		}
	}
}
