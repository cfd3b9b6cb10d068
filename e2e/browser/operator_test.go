package browser_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/mobid-io/mid-go/midtest"
)

// TestBothPrograms runs weblogin as an operator does, with mid-mock for the
// account: the two know nothing of each other but the API.
func TestBothPrograms(t *testing.T) {
	t.Parallel()
	m := startMock(t)
	app := startAt(t, m.baseURL, m.id, m.secret, m.hooksSecret)
	page, phone := newTab(t), newTab(t)
	page.startSignIn(app)
	assert.False(t, ask[bool](page, `Boolean(document.getElementById("demo"))`), "a demo phone with a real account")
	session := page.scan()[len("mid://auth?session="):]
	phone.open(m.page + "phone/" + session)
	assert.Equal(t, "mid://auth?session="+session, phone.scan())

	phone.press("#" + session + "-scan")
	page.until(atState("scanned"))
	phone.fill("#"+session+"-user", "user_noor_haddad")
	phone.press("#" + session + "-approve")
	assert.Equal(t, "user_noor_haddad", page.user())
	phone.until(shows(session, "approved"))
	phone.open(m.page)
	phone.until(`document.querySelector(".delivery .pill.good")`) // weblogin took the event
}

// TestTroubleWithMID: the person at the page is told, and can try again.
func TestTroubleWithMID(t *testing.T) {
	t.Parallel()
	app, srv := startDriven(t)
	page := newTab(t)

	srv.Inject(midtest.Fault{Method: http.MethodPost, Path: "/auth/sessions", Status: http.StatusForbidden})
	page.excuse("503")
	page.open(app.site)
	page.press("#start")
	page.until(`document.querySelector("[data-page=problem]")`)
	page.press("#start")
	page.until(atState("waiting"))

	srv.Inject(midtest.Fault{Method: http.MethodPost, Path: "/auth/verify", Status: http.StatusForbidden})
	session := srv.AuthSessions()[0].ID
	assert.NoError(t, srv.Approve(session, "user_ada_marsh"))
	page.until(atState("failed"))
	page.press("[data-for=failed] button")
	page.until(atState("waiting"))
	assert.NotEqual(t, session, page.scan()[len("mid://auth?session="):])
}
