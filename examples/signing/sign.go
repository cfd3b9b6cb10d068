package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/mobid-io/mid-go"
)

// askForSignatures uploads the document and creates a session with its signers.
func askForSignatures(ctx context.Context, client *mid.Client, file mid.File, signers []mid.SignerParams) (*mid.SigningSession, error) {
	document, err := client.Signing.UploadDocument(ctx, mid.UploadSigningDocumentParams{File: file})
	if err != nil {
		return nil, fmt.Errorf("uploading %s: %w", file.Name, err)
	}
	session, err := client.Signing.CreateSession(ctx, mid.CreateSigningSessionParams{
		DocumentIDs: []string{document.ID},
		Signers:     signers,
		ExpiresIn:   7 * 24 * time.Hour,
	})
	if err != nil {
		return nil, fmt.Errorf("creating the session: %w", err)
	}
	return session, nil
}

// errUnsigned says that a session ended without all signatures.
var errUnsigned = errors.New("not everyone has signed")

// follow prints each signer's decision as it is made, until the session ends.
func follow(ctx context.Context, client *mid.Client, id string, poll mid.PollOptions, w io.Writer) error {
	var session *mid.SigningSession
	var err error
	decided := map[int]bool{}
	for session, err = range client.Signing.WatchSession(ctx, id, poll) {
		if err != nil {
			return fmt.Errorf("waiting for session %s, which goes on: %w", id, err)
		}
		for i, signer := range session.Signers {
			if signer.Status != mid.SignerAwaiting && !decided[i] {
				decided[i] = true
				fmt.Fprintf(w, "%s: %s (%d of %d)\n", signer.Name, signer.Status, len(decided), len(session.Signers))
			}
		}
	}
	if session.Status != mid.SigningCompleted {
		return fmt.Errorf("%w: session %s is %s", errUnsigned, id, session.Status)
	}
	fmt.Fprintln(w, "Everyone has signed.")
	return nil
}

// advice adds to an error what to do about it.
func advice(err error) string {
	if _, ok := errors.AsType[*mid.ValidationError](err); ok {
		return "\nCorrect the field and try again."
	}
	if e, ok := errors.AsType[*mid.RateLimitError](err); ok {
		return fmt.Sprintf("\nThe quota is used up. Try again in %v.", e.RetryAfter)
	}
	switch e, ok := errors.AsType[*mid.APIError](err); {
	case errors.Is(err, mid.ErrInvalidClient):
		return "\nMID does not know the credentials. Sandbox and production have their own."
	case errors.Is(err, mid.ErrNotFound):
		return "\nSandbox and production do not know each other's sessions."
	case ok:
		return "\nMID's support can look up the request " + e.RequestID + "."
	}
	return ""
}
