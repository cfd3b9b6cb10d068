package browser_test

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// bounded is the test's context with an end: no call may hang.
func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// quickly has the SDK look often: the tests act at once.
var quickly = mid.PollOptions{MinInterval: 50 * time.Millisecond, MaxInterval: 200 * time.Millisecond}

// shows is true on a page of mid-mock where an item is in the given state.
func shows(id, state string) string {
	return `document.getElementById("` + id + `")?.dataset.state === "` + state + `"`
}

// watch opens mid-mock's board, as a page that must not be loaded again.
func (m mock) watch(tb *tab) {
	tb.t.Helper()
	tb.open(m.page)
	tb.until(`document.querySelector("#live.on")`)
	tb.mark()
}

// TestMockAuthentication plays the phone for a session of the SDK's.
func TestMockAuthentication(t *testing.T) {
	t.Parallel()
	m := startMock(t)
	ctx, c := bounded(t), m.client(t)
	board, phone := newTab(t), newTab(t)
	m.watch(board)
	session, err := c.Authentication.CreateSession(ctx, mid.CreateAuthSessionParams{
		Intent:    mid.IntentPayment,
		Recipient: "+14155550123",
		Metadata:  map[string]string{"order": "<b>7</b> & more"},
	})
	require.NoError(t, err)
	board.until(shows(session.ID, "pending"))
	text := ask[string](board, `document.getElementById("`+session.ID+`").innerText`)
	for _, want := range []string{"Confirm a payment", "+14155550123", "<b>7</b> & more"} {
		assert.Contains(t, text, want)
	}
	assert.Equal(t, session.QRData, board.scan())

	// What one browser does, the other shows.
	phone.open(m.page + "phone/" + session.ID)
	phone.until(`document.querySelector("#live.on")`)
	phone.fill("#"+session.ID+"-user", "user_noor_haddad")
	board.press("#" + session.ID + "-scan")
	phone.until(shows(session.ID, "scanned")) // and what was typed is still there
	phone.press("#" + session.ID + "-approve")
	board.until(shows(session.ID, "approved"))
	assert.Contains(t, ask[string](board, `document.getElementById("spoken").textContent`), "approved", "a screen reader hears nothing")
	assert.True(t, board.marked(), "the board was loaded again")

	got, err := c.Authentication.WaitForSession(ctx, session.ID, quickly)
	require.NoError(t, err)
	assert.Equal(t, mid.AuthApproved, got.Status)
	result, err := c.Authentication.Verify(ctx, mid.VerifyAuthenticationParams{SessionID: session.ID})
	require.NoError(t, err)
	assert.True(t, result.Verified)
	assert.Equal(t, "user_noor_haddad", result.UserID)
}

// TestMockVerification plays the verifier.
func TestMockVerification(t *testing.T) {
	t.Parallel()
	m := startMock(t)
	ctx, c := bounded(t), m.client(t)
	board := newTab(t)
	m.watch(board)
	verified, rejected := startVerification(t, c), startVerification(t, c)
	board.until(shows(verified.ID, "processing"))
	board.until(shows(rejected.ID, "processing"))
	board.press("#" + verified.ID + "-verify")
	board.until(shows(verified.ID, "verified"))
	board.press("#" + rejected.ID + "-reject")
	board.until(shows(rejected.ID, "rejected"))
	assert.True(t, board.marked(), "the board was loaded again")

	got, err := c.Identity.WaitForVerification(ctx, verified.ID, quickly)
	require.NoError(t, err)
	assert.Equal(t, mid.VerificationVerified, got.Status)
	got, err = c.Identity.WaitForVerification(ctx, rejected.ID, quickly)
	require.NoError(t, err)
	assert.Equal(t, mid.VerificationRejected, got.Status)
}

func startVerification(t *testing.T, c *mid.Client) *mid.Verification {
	t.Helper()
	ctx := bounded(t)
	var picture bytes.Buffer
	require.NoError(t, png.Encode(&picture, image.NewGray(image.Rect(0, 0, 8, 8))))
	upload := func(kind mid.DocumentType, side mid.DocumentSide) string {
		doc, err := c.Identity.UploadDocument(ctx, mid.UploadIdentityDocumentParams{
			File: mid.FileFromBytes("picture.png", picture.Bytes()), Type: kind, Side: side, Country: "PT",
		})
		require.NoError(t, err)
		return doc.ID
	}
	v, err := c.Identity.StartVerification(ctx, mid.StartVerificationParams{
		DocumentType:    mid.DocumentPassport,
		Country:         "PT",
		DocumentFrontID: upload(mid.DocumentPassport, mid.SideFront),
		SelfieID:        upload(mid.DocumentSelfie, ""),
	})
	require.NoError(t, err)
	return v
}

// TestMockSigning has two people sign, each at a link of their own.
func TestMockSigning(t *testing.T) {
	t.Parallel()
	m := startMock(t)
	ctx, c := bounded(t), m.client(t)
	board, noor, ada := newTab(t), newTab(t), newTab(t)
	m.watch(board)
	session := startSigning(t, c, "")
	board.until(shows(session.ID, "pending awaiting_signature awaiting_signature"))
	for i, signer := range []*tab{noor, ada} {
		signer.open(session.Signers[i].SignURL)
		signer.until(`document.querySelector("#live.on")`)
		text := ask[string](signer, "document.body.innerText")
		assert.Contains(t, text, session.Signers[i].Name)
		assert.Contains(t, text, "Lease.pdf")
		assert.NotContains(t, text, session.Signers[1-i].Email, "one signer's link tells about the other")
	}
	noor.press("button.primary")
	noor.until(`document.querySelector("[data-state$=' signed']")`)
	board.until(shows(session.ID, "pending signed awaiting_signature"))
	ada.mark()
	ada.press("button.primary")
	ada.until(`document.querySelector("[data-state='completed signed']")`)
	assert.True(t, ada.marked(), "the signer's page was loaded again")
	noor.until(`document.querySelector("[data-state='completed signed']")`)
	board.until(shows(session.ID, "completed signed signed"))
	assert.True(t, board.marked(), "the board was loaded again")

	got, err := c.Signing.WaitForSession(ctx, session.ID, quickly)
	require.NoError(t, err)
	assert.Equal(t, mid.SigningCompleted, got.Status)
}

func startSigning(t *testing.T, c *mid.Client, callbackURL string) *mid.SigningSession {
	t.Helper()
	ctx := bounded(t)
	doc, err := c.Signing.UploadDocument(ctx, mid.UploadSigningDocumentParams{
		File: mid.FileFromBytes("Lease.pdf", []byte("%PDF-1.7\ntrailer\n<< >>\n%%EOF\n")),
	})
	require.NoError(t, err)
	session, err := c.Signing.CreateSession(ctx, mid.CreateSigningSessionParams{
		DocumentIDs: []string{doc.ID},
		Signers: []mid.SignerParams{
			{Name: "Noor Haddad", Email: "noor@example.com"},
			{Name: "Ada Marsh", Email: "ada@example.org"},
		},
		CallbackURL: callbackURL,
	})
	require.NoError(t, err)
	return session
}
