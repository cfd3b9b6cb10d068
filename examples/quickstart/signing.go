package main

import (
	"context"
	"time"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/examples/internal/specimen"
)

// signAgreement uploads a PDF file and has two people sign it.
func (a *app) signAgreement(ctx context.Context) error {
	a.out.chapter("3", "Have a document signed", "signing.go")
	file, err := mid.FileFromFS(specimen.Files, "agreement.pdf")
	if err != nil {
		return err
	}
	document, err := a.client.Signing.UploadDocument(ctx, mid.UploadSigningDocumentParams{
		File:     file,
		Name:     "Houseboat Rental Agreement",
		Progress: a.out.progress(file.Name),
	})
	if err != nil {
		return err
	}
	session, err := a.client.Signing.CreateSession(ctx, mid.CreateSigningSessionParams{
		DocumentIDs: []string{document.ID},
		Signers: []mid.SignerParams{
			{Name: "Isolde Wren", Email: "isolde.wren@example.com"},
			{Name: "Theo Quill", Email: "theo.quill@example.org"},
		},
		ExpiresIn:   24 * time.Hour,
		CallbackURL: a.callbackURL,
	})
	if err != nil {
		return err
	}
	for _, signer := range session.Signers {
		a.out.fact(signer.Name, "signs at %s", signer.SignURL)
	}
	return a.followSigners(ctx, session.ID)
}

// followSigners prints each signer's decision once.
func (a *app) followSigners(ctx context.Context, sessionID string) error {
	printed := map[int]bool{}
	for session, err := range a.client.Signing.WatchSession(ctx, sessionID, a.poll) {
		if err != nil {
			return err
		}
		for i, signer := range session.Signers {
			if signer.Status != mid.SignerAwaiting && !printed[i] {
				printed[i] = true
				a.out.fact(signer.Name, "%s", signer.Status)
			}
		}
		if session.Status == mid.SigningCompleted {
			a.out.success("Everyone has signed.")
		} else if session.Status.Final() {
			a.out.failure("The agreement is %s.", session.Status)
		}
	}
	return nil
}
