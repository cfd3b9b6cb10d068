package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/mobid-io/mid-go"
)

//go:embed agreement.pdf
var agreement []byte

// askForSignatures uploads the document and names its signers.
func askForSignatures(ctx context.Context, client *mid.Client, a arguments) (*mid.SigningSession, error) {
	file, err := a.file()
	if err != nil {
		return nil, err
	}
	document, err := client.Signing.UploadDocument(ctx, mid.UploadSigningDocumentParams{File: file, Name: a.title})
	if err != nil {
		return nil, fmt.Errorf("uploading %s: %w", file.Name, err)
	}
	session, err := client.Signing.CreateSession(ctx, mid.CreateSigningSessionParams{
		DocumentIDs: []string{document.ID},
		Signers:     a.signers,
		ExpiresIn:   7 * 24 * time.Hour,
	})
	if err != nil {
		return nil, fmt.Errorf("creating the signing session: %w", err)
	}
	return session, nil
}

func (a arguments) file() (mid.File, error) {
	if a.pdf == "" {
		return mid.FileFromBytes("agreement.pdf", agreement), nil
	}
	return mid.FileFromPath(a.pdf)
}

// printLinks is for whoever passes the links on. A link is all that it takes
// to sign, so a service sends each to its signer and logs none.
func printLinks(w io.Writer, session *mid.SigningSession) {
	fmt.Fprintf(w, "Session %s is open until %s.\n\n", session.ID, session.ExpiresAt.Local().Format("2 January 2006, 15:04"))
	for _, signer := range session.Signers {
		fmt.Fprintf(w, "  %s signs at\n  %s\n\n", signer.Name, signer.SignURL)
	}
}

// follow prints every decision as it is made.
func follow(ctx context.Context, client *mid.Client, id string, poll mid.PollOptions, w io.Writer) error {
	decided := map[int]bool{}
	status := mid.SigningPending
	for session, err := range client.Signing.WatchSession(ctx, id, poll) {
		if ctx.Err() != nil {
			if !hasCredentials() {
				return errors.New("interrupted; the fake MID server and its session end here")
			}
			return fmt.Errorf("not waiting any longer; the session goes on: follow it again with -session %s", id)
		}
		if err != nil {
			return err
		}
		for i, signer := range session.Signers {
			if signer.Status != mid.SignerAwaiting && !decided[i] {
				decided[i] = true
				fmt.Fprintf(w, "%s (%d of %d)\n", decision(signer), len(decided), len(session.Signers))
			}
		}
		status = session.Status
	}
	if status != mid.SigningCompleted {
		return fmt.Errorf("the session ended without all signatures: it is %s", status)
	}
	fmt.Fprintln(w, "Everybody has signed.")
	return nil
}

func decision(signer mid.Signer) string {
	if signer.Status == mid.SignerSigned {
		return signer.Name + " signed at " + signer.SignedAt.Local().Format(time.TimeOnly)
	}
	return signer.Name + ": " + string(signer.Status)
}
