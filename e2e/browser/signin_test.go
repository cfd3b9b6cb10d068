package browser_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What the pages of weblogin say of themselves.
const (
	atHome    = `document.querySelector("[data-page=home]")`
	atAccount = `document.querySelector("[data-page=account]")`
)

// atState is true on a sign-in page that is in the given state, and shows it.
func atState(state string) string {
	return `document.getElementById("signin")?.dataset.state === "` + state + `" &&
		document.querySelector("[data-for=` + state + `]").checkVisibility()`
}

// atPhone is true on a demo phone that shows a session in the given status.
func atPhone(status string) string {
	return `document.querySelector(".phone")?.dataset.status === "` + status + `"`
}

// startSignIn opens the site and asks for a code.
func (tb *tab) startSignIn(app weblogin) {
	tb.t.Helper()
	tb.open(app.site)
	tb.until(atHome)
	tb.press("#start")
	tb.until(atState("waiting"))
}

// enter opens the text of a QR code on the demo phone, which has no camera.
func (tb *tab) enter(app weblogin, code string) {
	tb.t.Helper()
	tb.open(app.phone)
	tb.fill("#code", code)
	tb.press("#open")
	tb.until(atPhone("pending"))
}

// approveAs has the demo phone's user scan the code and approve.
func (tb *tab) approveAs(app weblogin, code, user string) {
	tb.t.Helper()
	tb.enter(app, code)
	tb.press("#scan")
	tb.until(atPhone("scanned"))
	ask[string](tb, `document.getElementById("user").value = "`+user+`"`)
	tb.press("#approve")
	tb.until(atPhone("approved"))
}

// user is who is signed in.
func (tb *tab) user() string {
	tb.t.Helper()
	tb.until(atAccount)
	return ask[string](tb, `document.getElementById("user").textContent`)
}

// TestSignIn is what the example is for. The page follows the phone by itself:
// the test touches nothing but the phone once the code is shown.
func TestSignIn(t *testing.T) {
	t.Parallel()
	app := startDemo(t)
	page, phone := newTab(t), newTab(t)
	page.startSignIn(app)
	page.mark()
	code := page.scan()
	assert.Regexp(t, `^mid://auth\?session=sess_\w+$`, code)

	phone.enter(app, code)
	phone.press("#scan")
	page.until(atState("scanned"))
	assert.True(t, page.marked(), "the page was loaded again to show the scan")
	assert.Contains(t, ask[string](page, "document.title"), "Approve on your phone")
	assert.NotEmpty(t, ask[string](page, `document.getElementById("status").textContent`), "a screen reader hears nothing")

	phone.until(atPhone("scanned"))
	phone.press("#approve")
	page.until(atState("approved") + " && window.marked")
	assert.Equal(t, "user_noor_haddad", page.user())
	assert.Equal(t, "/", page.path())

	page.press("#sign-out")
	page.until(atHome)
	page.open(app.site + "signin")
	page.until(atHome) // there is nothing to go on with
}

func TestDecline(t *testing.T) {
	t.Parallel()
	app := startDemo(t)
	page, phone := newTab(t), newTab(t)
	page.startSignIn(app)
	page.mark()
	code := page.scan()
	phone.enter(app, code)
	phone.press("#scan")
	phone.until(atPhone("scanned"))
	phone.press("#reject")
	phone.until(atPhone("rejected"))

	page.until(atState("rejected"))
	assert.True(t, page.marked(), "the page was loaded again to show the refusal")
	// The keyboard is at the one thing to do next.
	page.hit("\r")
	page.until(atState("waiting") + " && !window.marked")
	fresh := page.scan()
	require.NotEqual(t, code, fresh)

	// The new code is as good as the first was.
	phone.approveAs(app, fresh, "user_ada_marsh")
	assert.Equal(t, "user_ada_marsh", page.user())
}

// TestPlainHostName signs in by a host name without TLS, such as one on the
// company's network: the browser then tells less of where a form comes from.
func TestPlainHostName(t *testing.T) {
	t.Parallel()
	app, srv := startDriven(t)
	app.site = strings.Replace(app.site, "127.0.0.1", otherHost, 1)
	page := newTab(t)
	page.excuse("Cross-Origin-Opener-Policy") // without TLS it is ignored
	page.startSignIn(app)
	require.NoError(t, srv.Approve(srv.AuthSessions()[0].ID, "user_noor_haddad"))
	assert.Equal(t, "user_noor_haddad", page.user())
	page.press("#sign-out")
	page.until(atHome)
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	app, srv := startDriven(t)
	page := newTab(t)
	page.startSignIn(app)
	page.mark()
	code := page.scan()
	require.NoError(t, srv.Expire(srv.AuthSessions()[0].ID))
	page.until(atState("expired"))
	assert.True(t, page.marked(), "the page was loaded again to show the expiry")
	assert.False(t, ask[bool](page, `document.getElementById("qr").checkVisibility()`), "the old code is still shown")

	page.press("[data-for=expired] button")
	page.until(atState("waiting"))
	assert.NotEqual(t, code, page.scan())
	assert.Len(t, srv.AuthSessions(), 2)
}
