package e2e_test

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

// operation is one typed method of the SDK, ready to be called.
type operation struct {
	id     string // the contract's operationId
	method string
	path   string // the contract's
	upload bool
	status int // of a success
	call   func(context.Context, *mid.Client, ...mid.RequestOption) error
}

// world is what has to exist for every operation to succeed.
type world struct {
	front, back, selfie *mid.IdentityDocument
	lease               *mid.SigningDocument
	auth                *mid.AuthSession
	verification        *mid.Verification
	signing             *mid.SigningSession
}

var (
	leasePDF = []byte("%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n")
	metadata = map[string]string{"order": "7", "shop": "Bücher & Söhne"}
	signers  = []mid.SignerParams{{Name: "Ada Example", Email: "ada@example.com"}, {Name: "Björn Example", Email: "bjorn@example.org"}}
)

// picture is a real PNG image.
func picture(t *testing.T) []byte {
	t.Helper()
	var buf bytes.Buffer
	require.NoError(t, png.Encode(&buf, image.NewGray(image.Rect(0, 0, 8, 8))))
	return buf.Bytes()
}

// newWorld fills a server, on the straight way.
func newWorld(t *testing.T, srv *midtest.Server) *world {
	t.Helper()
	ctx, c, w := bounded(t), srv.Client(), &world{}
	page := mid.FileFromBytes("page.png", picture(t))
	upload := func(kind mid.DocumentType, side mid.DocumentSide) *mid.IdentityDocument {
		doc, err := c.Identity.UploadDocument(ctx, mid.UploadIdentityDocumentParams{File: page, Type: kind, Side: side, Country: "DE"})
		require.NoError(t, err)
		return doc
	}
	w.front, w.back = upload(mid.DocumentNationalID, mid.SideFront), upload(mid.DocumentNationalID, mid.SideBack)
	w.selfie = upload(mid.DocumentSelfie, "")
	var err error
	w.lease, err = c.Signing.UploadDocument(ctx, mid.UploadSigningDocumentParams{File: mid.FileFromBytes("lease.pdf", leasePDF)})
	require.NoError(t, err)
	w.auth, err = c.Authentication.CreateSession(ctx, w.authParams())
	require.NoError(t, err)
	w.verification, err = c.Identity.StartVerification(ctx, w.verificationParams())
	require.NoError(t, err)
	w.signing, err = c.Signing.CreateSession(ctx, w.signingParams())
	require.NoError(t, err)
	return w
}

func (w *world) authParams() mid.CreateAuthSessionParams {
	return mid.CreateAuthSessionParams{
		Intent:      mid.IntentPayment,
		Recipient:   "+14155550123",
		CallbackURL: "http://127.0.0.1:9/hook?from=mid",
		Metadata:    metadata,
	}
}

func (w *world) verificationParams() mid.StartVerificationParams {
	return mid.StartVerificationParams{
		DocumentType:    mid.DocumentNationalID,
		Country:         "DE",
		DocumentFrontID: w.front.ID,
		DocumentBackID:  w.back.ID,
		SelfieID:        w.selfie.ID,
		CallbackURL:     "http://127.0.0.1:9/hook",
		Metadata:        metadata,
	}
}

func (w *world) signingParams() mid.CreateSigningSessionParams {
	return mid.CreateSigningSessionParams{
		DocumentIDs:      []string{w.lease.ID},
		Signers:          signers,
		CallbackURL:      "http://127.0.0.1:9/hook",
		ExpiresIn:        48 * time.Hour,
		RequireBiometric: new(false),
		Metadata:         metadata,
	}
}

// operations are all that have a typed method. The token's has none.
func (w *world) operations(t *testing.T) []operation {
	page, lease := mid.FileFromBytes("page.png", picture(t)), mid.FileFromBytes("lease.pdf", leasePDF)
	return []operation{
		{"createAuthSession", "POST", "/auth/sessions", false, 201, func(ctx context.Context, c *mid.Client, opts ...mid.RequestOption) error {
			return second(c.Authentication.CreateSession(ctx, w.authParams(), opts...))
		}},
		{"getAuthSession", "GET", "/auth/sessions/{id}", false, 200, func(ctx context.Context, c *mid.Client, opts ...mid.RequestOption) error {
			return second(c.Authentication.GetSession(ctx, w.auth.ID, opts...))
		}},
		{"verifyAuthentication", "POST", "/auth/verify", false, 200, func(ctx context.Context, c *mid.Client, opts ...mid.RequestOption) error {
			return second(c.Authentication.Verify(ctx, mid.VerifyAuthenticationParams{SessionID: w.auth.ID}, opts...))
		}},
		{"uploadIdentityDocument", "POST", "/identity/documents", true, 201, func(ctx context.Context, c *mid.Client, opts ...mid.RequestOption) error {
			return second(c.Identity.UploadDocument(ctx, mid.UploadIdentityDocumentParams{File: page, Type: mid.DocumentPassport, Side: mid.SideFront, Country: "FR"}, opts...))
		}},
		{"startVerification", "POST", "/identity/verify", false, 202, func(ctx context.Context, c *mid.Client, opts ...mid.RequestOption) error {
			return second(c.Identity.StartVerification(ctx, w.verificationParams(), opts...))
		}},
		{"getVerification", "GET", "/identity/verifications/{id}", false, 200, func(ctx context.Context, c *mid.Client, opts ...mid.RequestOption) error {
			return second(c.Identity.GetVerification(ctx, w.verification.ID, opts...))
		}},
		{"uploadSigningDocument", "POST", "/signing/documents", true, 201, func(ctx context.Context, c *mid.Client, opts ...mid.RequestOption) error {
			return second(c.Signing.UploadDocument(ctx, mid.UploadSigningDocumentParams{File: lease, Name: "Lease"}, opts...))
		}},
		{"createSigningSession", "POST", "/signing/sessions", false, 201, func(ctx context.Context, c *mid.Client, opts ...mid.RequestOption) error {
			return second(c.Signing.CreateSession(ctx, w.signingParams(), opts...))
		}},
		{"getSigningSession", "GET", "/signing/sessions/{id}", false, 200, func(ctx context.Context, c *mid.Client, opts ...mid.RequestOption) error {
			return second(c.Signing.GetSession(ctx, w.signing.ID, opts...))
		}},
	}
}

func second[T any](_ T, err error) error { return err }
