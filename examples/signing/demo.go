package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/examples/internal/specimen"
	"github.com/mobid-io/mid-go/midtest"
)

// demo has an agreement signed by two people who do not exist, with a fake MID
// server.
func demo(ctx context.Context) error {
	fmt.Println("A demonstration with a fake MID server. For the real use, see signing -h.")
	server := midtest.NewServer()
	defer server.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go playSigners(ctx, server)

	client := server.Client()
	file, err := mid.FileFromFS(specimen.Files, "agreement.pdf")
	if err != nil {
		return err
	}
	session, err := askForSignatures(ctx, client, file, []mid.SignerParams{
		{Name: "Isolde Wren", Email: "isolde.wren@example.com"},
		{Name: "Theo Quill", Email: "theo.quill@example.org"},
	})
	if err != nil {
		return err
	}
	printLinks(os.Stdout, session)
	return follow(ctx, client, session.ID, mid.PollOptions{MaxInterval: 100 * time.Millisecond}, os.Stdout)
}

// playSigners signs every document, one signer after the other.
func playSigners(ctx context.Context, server *midtest.Server) {
	for {
		select {
		case <-time.After(700 * time.Millisecond):
		case <-ctx.Done():
			return
		}
		for _, session := range server.SigningSessions() {
			for _, signer := range session.Signers {
				if signer.Status == mid.SignerAwaiting {
					_ = server.Sign(session.ID, signer.Email)
					break // the next signer takes a moment too
				}
			}
		}
	}
}
