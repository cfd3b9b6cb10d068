package e2e_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

// TestContractCalls validates every operation's request and success.
func TestContractCalls(t *testing.T) {
	w := newWire(t)
	c, ctx := w.client(), bounded(t)
	operations := newWorld(t, w.mid).operations(t)
	for _, op := range operations {
		require.NoError(t, op.call(ctx, c), op.id)
	}
	seen := w.tally()
	for _, op := range operations {
		assert.Equal(t, map[int]int{op.status: 1}, seen[op.id], op.id)
	}
	assert.Equal(t, map[int]int{200: 1}, seen["createToken"])
	for path, item := range w.contract.doc.Paths.Map() {
		for method, op := range item.Operations() {
			assert.Contains(t, seen, op.OperationID, "%s %s is in the contract", method, path)
		}
	}
}

// TestContractMinimum validates requests with nothing that may be left out.
func TestContractMinimum(t *testing.T) {
	w := newWire(t)
	c, ctx, there := w.client(), bounded(t), newWorld(t, w.mid)

	_, err := c.Authentication.CreateSession(ctx, mid.CreateAuthSessionParams{Intent: mid.IntentLogin})
	require.NoError(t, err)
	_, err = c.Identity.UploadDocument(ctx, mid.UploadIdentityDocumentParams{File: mid.FileFromBytes("me.png", picture(t)), Type: mid.DocumentSelfie})
	require.NoError(t, err)
	params := there.verificationParams()
	params.DocumentBackID, params.CallbackURL, params.Metadata = "", "", nil
	_, err = c.Identity.StartVerification(ctx, params)
	require.NoError(t, err)
	_, err = c.Signing.UploadDocument(ctx, mid.UploadSigningDocumentParams{File: mid.FileFromBytes("lease.pdf", leasePDF)})
	require.NoError(t, err)
	_, err = c.Signing.CreateSession(ctx, mid.CreateSigningSessionParams{DocumentIDs: []string{there.lease.ID}, Signers: signers[:1]})
	require.NoError(t, err)
}

// TestContractFiles validates every media type of an upload, names that need
// escaping, and a body without a length.
func TestContractFiles(t *testing.T) {
	w := newWire(t)
	c, ctx := w.client(), bounded(t)
	for _, mediaType := range []string{"image/jpeg", "image/png", "image/webp", "image/heic", "application/pdf"} {
		file := mid.FileFromBytes(`Zoë "the page" 1.bin`, []byte{0, 1, 2, 0xff})
		file.ContentType = mediaType
		doc, err := c.Identity.UploadDocument(ctx, mid.UploadIdentityDocumentParams{File: file, Type: mid.DocumentDriversLicense, Side: mid.SideBack})
		require.NoError(t, err)
		assert.Equal(t, mediaType, doc.ContentType)
		assert.Equal(t, `Zoë %22the page%22 1.bin`, doc.FileName, "escaped as browsers do")
	}
	stream := struct{ *bytes.Buffer }{bytes.NewBuffer(leasePDF)}
	doc, err := c.Signing.UploadDocument(ctx, mid.UploadSigningDocumentParams{
		File: mid.FileFromReader("lease.pdf", readerOnly{stream}),
		Name: "Überlassung; \"Haus\"",
	})
	require.NoError(t, err)
	assert.Equal(t, "Überlassung; \"Haus\"", doc.Name)
	assert.Empty(t, w.last(t, "uploadSigningDocument").header.Get("Content-Length"))
}

type readerOnly struct {
	from interface{ Read([]byte) (int, error) }
}

func (r readerOnly) Read(p []byte) (int, error) { return r.from.Read(p) }

// TestContractStates validates the answers of every state that there is.
func TestContractStates(t *testing.T) {
	w := newWire(t)
	c, ctx, there := w.client(), bounded(t), newWorld(t, w.mid)
	look := func(err error) {
		t.Helper()
		require.NoError(t, err)
		_, err = c.Authentication.GetSession(ctx, there.auth.ID)
		require.NoError(t, err)
		_, err = c.Authentication.Verify(ctx, mid.VerifyAuthenticationParams{SessionID: there.auth.ID})
		require.NoError(t, err)
		_, err = c.Identity.GetVerification(ctx, there.verification.ID)
		require.NoError(t, err)
		_, err = c.Signing.GetSession(ctx, there.signing.ID)
		require.NoError(t, err)
	}
	renew := func() { there = newWorld(t, w.mid) }

	look(w.mid.Scan(there.auth.ID))
	look(w.mid.Approve(there.auth.ID, "user_1"))
	look(w.mid.CompleteVerification(there.verification.ID, midtest.Outcome{}))
	for _, signer := range signers {
		look(w.mid.Sign(there.signing.ID, signer.Email))
	}
	renew()
	look(w.mid.Reject(there.auth.ID))
	look(w.mid.CompleteVerification(there.verification.ID, midtest.Outcome{Status: mid.VerificationRejected}))
	look(w.mid.Decline(there.signing.ID, signers[0].Email))
	renew()
	look(w.mid.Expire(there.auth.ID))
	look(w.mid.Expire(there.verification.ID))
	look(w.mid.Expire(there.signing.ID))
	assert.GreaterOrEqual(t, w.tally()["getSigningSession"][200], 11)
}

// TestContractIDs validates ids that need escaping: they stay one segment.
func TestContractIDs(t *testing.T) {
	w := newWire(t)
	c, ctx := w.client(), bounded(t)
	for _, id := range []string{"a b", "a/b", "ä?#", "%2F", "a;b=c", strings.Repeat("x", 300)} {
		_, err := c.Authentication.GetSession(ctx, id)
		require.ErrorIs(t, err, mid.ErrNotFound, id)
		assert.Equal(t, 404, w.last(t, "getAuthSession").status)
	}
	assert.Equal(t, 6, w.tally()["getAuthSession"][404])
}
