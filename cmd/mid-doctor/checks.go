package main

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/png"

	"github.com/mobid-io/mid-go"
)

// examine makes all checks but that of an event, in an order in which each finds
// what it needs. write lets it create what the account keeps.
func (d *doctor) examine(ctx context.Context, write bool) {
	session, created, err := ask(d, opCreateAuthSession, authSession, func(c *mid.Client, opts ...mid.RequestOption) (*mid.AuthSession, error) {
		return c.Authentication.CreateSession(ctx, mid.CreateAuthSessionParams{Intent: mid.IntentLogin}, opts...)
	})
	if !d.basics(err) {
		d.skip("there is no token", opCreateAuthSession, opGetAuthSession, opVerifyAuth, checkNotFound, checkRefused)
		d.skip("there is no token", append(identityChecks, signingChecks...)...)
		return
	}
	d.add(created)
	if err == nil {
		d.examineSession(ctx, session.ID)
	} else {
		d.skip("there is no session", opGetAuthSession, opVerifyAuth)
	}
	d.examineErrors(ctx)
	if !write {
		d.skip("they leave something on the account; give -write", append(identityChecks, signingChecks...)...)
		return
	}
	d.examineIdentity(ctx)
	d.examineSigning(ctx)
}

// examineSession looks at a session, and verifies it though it is not approved.
func (d *doctor) examineSession(ctx context.Context, id string) {
	must(d, opGetAuthSession, authSession, func(c *mid.Client, opts ...mid.RequestOption) (*mid.AuthSession, error) {
		return c.Authentication.GetSession(ctx, id, opts...)
	})
	must(d, opVerifyAuth, authenticationResult, func(c *mid.Client, opts ...mid.RequestOption) (*mid.AuthenticationResult, error) {
		return c.Authentication.Verify(ctx, mid.VerifyAuthenticationParams{SessionID: id}, opts...)
	})
}

// examineErrors has two requests refused.
func (d *doctor) examineErrors(ctx context.Context) {
	client := d.clients[d.names]
	_, err := client.Authentication.GetSession(ctx, "sess_of_mid_doctor")
	d.refused(checkNotFound, opGetAuthSession, err, mid.ErrNotFound)
	_, err = client.Authentication.CreateSession(ctx, mid.CreateAuthSessionParams{Intent: "mid-doctor"})
	d.refused(checkRefused, opCreateAuthSession, err, mid.ErrInvalidRequest)
}

// refused adds the check of an answer that should be an error of a kind.
func (d *doctor) refused(name, operation string, err, kind error) {
	c := check{Name: name}
	e, answered := errors.AsType[*mid.APIError](err)
	switch {
	case err == nil:
		c.Verdict, c.Text = unknown, "it was accepted, so there is no error to look at"
	case !answered || !errors.Is(err, kind):
		c.Verdict, c.Text = failed, explain(err)
	default:
		answer, _ := d.wire.operation(operation)
		c.failure(answer.body)
		if e.Code == "" {
			c.Verdict, c.Text = unreadable, "the SDK finds no code in it"
		}
		c.finish()
	}
	d.add(c)
}

func (d *doctor) examineIdentity(ctx context.Context) {
	upload := func(kind mid.DocumentType, side mid.DocumentSide) call[mid.IdentityDocument] {
		return func(c *mid.Client, opts ...mid.RequestOption) (*mid.IdentityDocument, error) {
			return c.Identity.UploadDocument(ctx, mid.UploadIdentityDocumentParams{
				File: mid.FileFromBytes("mid-doctor.png", picture()), Type: kind, Side: side, Country: "DE",
			}, opts...)
		}
	}
	front, ok := must(d, opUploadIdentityDocument, identityDocument, upload(mid.DocumentPassport, mid.SideFront))
	if !ok {
		d.skip("there is no document", opStartVerification, opGetVerification)
		return
	}
	selfie, _, err := ask(d, opUploadIdentityDocument, identityDocument, upload(mid.DocumentSelfie, ""))
	if err != nil {
		d.skip("there is no selfie", opStartVerification, opGetVerification)
		return
	}
	started, ok := must(d, opStartVerification, verification, func(c *mid.Client, opts ...mid.RequestOption) (*mid.Verification, error) {
		return c.Identity.StartVerification(ctx, mid.StartVerificationParams{
			DocumentType: mid.DocumentPassport, Country: "DE", DocumentFrontID: front.ID, SelfieID: selfie.ID,
		}, opts...)
	})
	if !ok {
		d.skip("there is no verification", opGetVerification)
		return
	}
	must(d, opGetVerification, verification, func(c *mid.Client, opts ...mid.RequestOption) (*mid.Verification, error) {
		return c.Identity.GetVerification(ctx, started.ID, opts...)
	})
}

func (d *doctor) examineSigning(ctx context.Context) {
	document, ok := must(d, opUploadSigningDocument, signingDocument, func(c *mid.Client, opts ...mid.RequestOption) (*mid.SigningDocument, error) {
		return c.Signing.UploadDocument(ctx, mid.UploadSigningDocumentParams{File: mid.FileFromBytes("mid-doctor.pdf", []byte(page))}, opts...)
	})
	if !ok {
		d.skip("there is no document", opCreateSigningSession, opGetSigningSession)
		return
	}
	created, ok := must(d, opCreateSigningSession, signingSession, func(c *mid.Client, opts ...mid.RequestOption) (*mid.SigningSession, error) {
		return c.Signing.CreateSession(ctx, mid.CreateSigningSessionParams{
			DocumentIDs: []string{document.ID},
			Signers:     []mid.SignerParams{{Name: "Mid Doctor", Email: "mid-doctor@example.com"}},
		}, opts...)
	})
	if !ok {
		d.skip("there is no session", opGetSigningSession)
		return
	}
	must(d, opGetSigningSession, signingSession, func(c *mid.Client, opts ...mid.RequestOption) (*mid.SigningSession, error) {
		return c.Signing.GetSession(ctx, created.ID, opts...)
	})
}

// picture is a small PNG image.
func picture() []byte {
	var b bytes.Buffer
	_ = png.Encode(&b, image.NewGray(image.Rect(0, 0, 64, 64))) // to memory: can't fail
	return b.Bytes()
}

// page is a PDF document of one empty page.
const page = `%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj
trailer<</Root 1 0 R>>
%%EOF
`
