package browser_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go/midtest"
)

// TestLooksOfSignIn inspects every state of weblogin's pages.
func TestLooksOfSignIn(t *testing.T) {
	t.Parallel()
	withAxe(t)
	app, srv := startDriven(t)
	page := newTab(t)
	page.open(app.site)
	page.until(atHome)
	page.inspect("home")

	srv.Inject(midtest.Fault{Method: http.MethodPost, Path: "/auth/sessions", Status: http.StatusForbidden})
	page.excuse("503")
	page.press("#start")
	page.until(`document.querySelector("[data-page=problem]")`)
	page.inspect("problem")

	// again asks for a code and returns the session's id.
	again := func(button string) string {
		page.press(button)
		page.until(atState("waiting"))
		return srv.AuthSessions()[0].ID
	}
	session := again("#start")
	page.inspect("waiting")
	require.NoError(t, srv.Scan(session))
	page.until(atState("scanned"))
	page.inspect("scanned")
	require.NoError(t, srv.Reject(session))
	page.until(atState("rejected"))
	page.inspect("rejected")

	session = again("[data-for=rejected] button")
	require.NoError(t, srv.Expire(session))
	page.until(atState("expired"))
	page.inspect("expired")

	session = again("[data-for=expired] button")
	srv.Inject(midtest.Fault{Method: http.MethodPost, Path: "/auth/verify", Status: http.StatusForbidden})
	require.NoError(t, srv.Approve(session, "user_noor_haddad"))
	page.until(atState("failed"))
	page.inspect("failed")

	session = again("[data-for=failed] button")
	// The page would go on too soon to be inspected.
	ask[bool](page, "Boolean(window.setTimeout = ((go) => (f, ms) => ms === 1200 ? 0 : go(f, ms))(setTimeout.bind(window)))")
	require.NoError(t, srv.Approve(session, "user_noor_haddad"))
	page.until(atState("approved"))
	page.inspect("approved")
	page.open(app.site + "signin")
	page.until(atAccount)
	page.inspect("account")
}

// TestLooksOfDemo inspects what only the demonstration shows: the link to its
// phone, and the phone.
func TestLooksOfDemo(t *testing.T) {
	t.Parallel()
	withAxe(t)
	app := startDemo(t)
	page, phone := newTab(t), newTab(t)
	page.startSignIn(app)
	page.inspect("demo")
	phone.open(app.phone + "?session=sess_unknown")
	phone.inspect("phone-missing")
	phone.enter(app, page.scan())
	phone.inspect("phone-pending")
	phone.press("#scan")
	phone.until(atPhone("scanned"))
	phone.inspect("phone-scanned")
	phone.press("#approve")
	phone.until(atPhone("approved"))
	phone.inspect("phone-approved")
}
