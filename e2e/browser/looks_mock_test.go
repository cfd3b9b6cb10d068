package browser_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// TestLooksOfMock inspects mid-mock's pages: empty, busy, and each of their
// kinds.
func TestLooksOfMock(t *testing.T) {
	t.Parallel()
	withAxe(t)
	m := startMock(t)
	ctx, c := bounded(t), m.client(t)
	board := newTab(t)
	m.watch(board)
	board.inspect("board-empty")

	hook := "http://" + freeAddr(t) + "/hooks" // where nothing listens
	create := func(intent mid.Intent, recipient string) *mid.AuthSession {
		session, err := c.Authentication.CreateSession(ctx, mid.CreateAuthSessionParams{
			Intent: intent, Recipient: recipient, CallbackURL: hook,
			Metadata: map[string]string{"order": "7", "basket": "a-word-that-is-far-too-long-to-fit-into-one-line-of-a-phone"},
		})
		require.NoError(t, err)
		return session
	}
	open, ended := create(mid.IntentLogin, "+14155550123"), create(mid.IntentPayment, "")
	verification, verified := startVerification(t, c), startVerification(t, c)
	signing := startSigning(t, c, hook)
	board.until(shows(signing.ID, "pending awaiting_signature awaiting_signature"))
	board.press("#" + ended.ID + "-reject")
	board.until(`document.querySelector(".delivery .pill.bad")`)
	board.press("#" + verified.ID + "-verify")
	board.until(shows(verified.ID, "verified"))
	board.press("summary")           // how to connect an app
	board.press(".delivery summary") // and the payload
	board.inspect("board")

	page := newTab(t)
	for name, path := range map[string]string{
		"mock-auth":         "phone/" + open.ID,
		"mock-auth-ended":   "phone/" + ended.ID,
		"mock-verification": "phone/" + verification.ID,
		"mock-verified":     "phone/" + verified.ID,
		"mock-signing":      "phone/" + signing.ID,
	} {
		page.open(m.page + path)
		page.inspect(name)
	}
	page.open(signing.Signers[0].SignURL)
	page.inspect("mock-sign")
	page.press("button.danger")
	page.until(`document.querySelector("[data-state='declined declined']")`)
	page.inspect("mock-declined")
	page.excuse("404")
	page.open(m.page + "phone/sess_unknown")
	page.inspect("mock-missing")
}
