package browser_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// enter opens the page of mid-mock that plays the phone that scanned a code.
func (tb *tab) enter(m mock, code string) (session string) {
	tb.t.Helper()
	session = sessionIn(tb.t, code)
	tb.open(m.page + "phone/" + session)
	tb.until(shows(session, "pending"))
	return session
}

// approveAs has the phone's user scan the code and approve.
func (tb *tab) approveAs(m mock, code, user string) {
	tb.t.Helper()
	session := tb.enter(m, code)
	tb.press("#" + session + "-scan")
	tb.until(shows(session, "scanned"))
	tb.fill("#"+session+"-user", user)
	tb.press("#" + session + "-approve")
	tb.until(shows(session, "approved"))
}

// TestSignIn is what the example is for, with mid-mock for the phone, as its
// README says. The page follows the phone by itself: the test touches nothing
// but the phone once the code is shown.
func TestSignIn(t *testing.T) {
	t.Parallel()
	m := startMock(t)
	app := startDemo(t, m)
	page, phone := newTab(t), newTab(t)
	page.startSignIn(app.site)
	assert.Equal(t, "/signin/", page.path())
	page.mark()
	code := page.scan()
	assert.Regexp(t, `^mid://auth\?session=sess_\w+$`, code)

	session := phone.enter(m, code)
	phone.press("#" + session + "-scan")
	page.until(atState("scanned"))
	assert.True(t, page.marked(), "the page was loaded again to show the scan")
	assert.Equal(t, "Approve on your phone · Alder & Finch", ask[string](page, "document.title"))

	phone.until(shows(session, "scanned"))
	phone.fill("#"+session+"-user", "user_noor_haddad")
	phone.press("#" + session + "-approve")
	page.until(atState("approved") + " && window.marked")
	assert.Equal(t, "user_noor_haddad", page.user())
	assert.Equal(t, "/", page.path())

	page.press("#sign-out")
	page.until(atStart)
	page.open(app.site + "signin/finish")
	page.until(atStart) // there is nothing to go on with
}

// The vendor's other pages spell names in camelCase and wrap answers in another
// envelope. A site notices nothing of it.
func TestSignInInOtherSpellings(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"-names", "camel"}, {"-names", "camel", "-envelope", "code"}} {
		m := startMock(t, args...)
		client, err := mid.NewClient(m.id, m.secret, mid.WithBaseURL(m.baseURL), mid.WithFieldNames(mid.CamelCase),
			mid.WithWebhooks(mid.WebhookConfig{Secrets: []string{m.hooksSecret}}))
		require.NoError(t, err)
		page, phone := newTab(t), newTab(t)
		page.startSignIn(mount(t, client, nil))
		phone.approveAs(m, page.scan(), "user_noor_haddad")
		page.until(atState("approved"))
		assert.Equal(t, "user_noor_haddad", page.user())
	}
}

func TestDecline(t *testing.T) {
	t.Parallel()
	m := startMock(t)
	app := startDemo(t, m)
	page, phone := newTab(t), newTab(t)
	page.startSignIn(app.site)
	page.mark()
	code := page.scan()
	session := phone.enter(m, code)
	phone.press("#" + session + "-scan")
	phone.until(shows(session, "scanned"))
	phone.press("#" + session + "-reject")
	phone.until(shows(session, "rejected"))

	page.until(atState("rejected"))
	assert.True(t, page.marked(), "the page was loaded again to show the refusal")
	// The keyboard is at the one thing to do next.
	page.hit("\r")
	page.until(atState("waiting") + " && !window.marked")
	fresh := page.scan()
	require.NotEqual(t, code, fresh)

	// The new code is as good as the first was.
	phone.approveAs(m, fresh, "user_ada_marsh")
	assert.Equal(t, "user_ada_marsh", page.user())
}

// TestProduction runs weblogin as an operator does, with mid-mock for the
// account: the two know nothing of each other but the API.
func TestProduction(t *testing.T) {
	t.Parallel()
	m := startMock(t)
	app := startWithAccount(t, m)
	page, phone := newTab(t), newTab(t)
	page.startSignIn(app.site)
	phone.approveAs(m, page.scan(), "user_noor_haddad")
	assert.Equal(t, "user_noor_haddad", page.user())
	phone.open(m.page)
	phone.until(`document.querySelector(".delivery .pill.good")`) // weblogin took the event
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	site := startSite(t, nil)
	page := newTab(t)
	page.startSignIn(site.url)
	page.mark()
	code := page.scan()
	require.NoError(t, site.Expire(site.newest()))
	page.until(atState("expired"))
	assert.True(t, page.marked(), "the page was loaded again to show the expiry")
	assert.False(t, ask[bool](page, `document.getElementById("qr").checkVisibility()`), "the old code is still shown")

	page.press("[data-for=expired] button")
	page.until(atState("waiting"))
	assert.NotEqual(t, code, page.scan())
	assert.Len(t, site.AuthSessions(), 2)
}
