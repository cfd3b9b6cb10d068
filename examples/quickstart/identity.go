package main

import (
	"context"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/examples/internal/specimen"
)

// verifyIdentity uploads a passport and a selfie and has them checked.
func (a *app) verifyIdentity(ctx context.Context) error {
	a.out.chapter("2", "Verify an identity", "identity.go")
	front, err := a.upload(ctx, "passport.png", mid.DocumentPassport)
	if err != nil {
		return err
	}
	selfie, err := a.upload(ctx, "selfie.png", mid.DocumentSelfie)
	if err != nil {
		return err
	}
	verification, err := a.client.Identity.StartVerification(ctx, mid.StartVerificationParams{
		DocumentType:    mid.DocumentPassport,
		Country:         specimen.Country,
		DocumentFrontID: front.ID,
		SelfieID:        selfie.ID,
		CallbackURL:     a.callbackURL,
	})
	if err != nil {
		return err
	}
	a.out.fact(string(verification.Status), "it should take %s", verification.EstimatedTime)
	verification, err = a.client.Identity.WaitForVerification(ctx, verification.ID, a.poll)
	if err != nil {
		return err
	}
	a.printResult(verification)
	return nil
}

func (a *app) upload(ctx context.Context, name string, typ mid.DocumentType) (*mid.IdentityDocument, error) {
	file, err := mid.FileFromFS(specimen.Files, name)
	if err != nil {
		return nil, err
	}
	return a.client.Identity.UploadDocument(ctx, mid.UploadIdentityDocumentParams{
		File:     file,
		Type:     typ,
		Side:     mid.SideFront,
		Country:  specimen.Country,
		Progress: a.out.progress(name),
	})
}

// printResult prints what the specimen says. Do not print or log the data of a
// real person: the SDK's types keep it out of logs for that reason.
func (a *app) printResult(v *mid.Verification) {
	if v.Status != mid.VerificationVerified {
		a.out.failure("The identity is %s. %s", v.Status, v.RejectionReason)
		return
	}
	if v.Confidence != nil {
		a.out.fact(string(v.Status), "with a confidence of %.0f %%", *v.Confidence*100)
	}
	a.out.fact("checks", "document %s, face %s, liveness %s", v.Checks.DocumentAuthenticity, v.Checks.FaceMatch, v.Checks.LivenessDetection)
	person := v.ExtractedData
	a.out.fact("passport", "%s, expires %s", person.DocumentNumber, person.ExpiryDate)
	a.out.success("This is %s %s, born %s.", person.FirstName, person.LastName, person.DateOfBirth)
}
