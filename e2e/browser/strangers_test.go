package browser_test

import (
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestTwoBrowsers: each is signed in by the approval of its own code, and by no
// other.
func TestTwoBrowsers(t *testing.T) {
	t.Parallel()
	app := startDemo(t)
	noor, ada, phone := newTab(t), newTab(t), newTab(t)
	noor.startSignIn(app)
	ada.startSignIn(app)
	code, other := noor.scan(), ada.scan()
	require.NotEqual(t, code, other)

	phone.approveAs(app, other, "user_ada_marsh")
	assert.Equal(t, "user_ada_marsh", ada.user())
	noor.until(atState("waiting"))
	noor.open(app.site + "signin") // not even if the page asks
	noor.until(atState("waiting"))
	assert.Equal(t, code, noor.scan())

	phone.approveAs(app, code, "user_noor_haddad")
	assert.Equal(t, "user_noor_haddad", noor.user())
	ada.open(app.site)
	assert.Equal(t, "user_ada_marsh", ada.user())

	ada.press("#sign-out")
	ada.until(atHome)
	noor.open(app.site)
	assert.Equal(t, "user_noor_haddad", noor.user())
}

// TestThief has another browser try all that may leak.
func TestThief(t *testing.T) {
	t.Parallel()
	app := startDemo(t)
	victim, thief, phone := newTab(t), newTab(t), newTab(t)
	gets := func(what, path string) {
		t.Helper()
		thief.open(app.site + path)
		thief.until(atHome)
		assert.Equal(t, "/", thief.path(), "the thief got somewhere with %s", what)
	}

	// A photo of the screen holds the session's id.
	victim.startSignIn(app)
	code := victim.scan()
	session := code[len("mid://auth?session="):]
	flow := victim.cookie(app.site, "weblogin-flow")
	require.NotNil(t, flow)
	assert.NotContains(t, code, flow.Value)
	gets("the session's id in the address", "signin?session="+session)
	thief.steal(app.site, &network.Cookie{Name: flow.Name, Value: session})
	gets("the session's id as the cookie", "signin")

	// What else there is, no script can read, and no other site can send.
	assert.Empty(t, ask[string](victim, "document.cookie"))
	assert.True(t, flow.HTTPOnly)
	assert.Equal(t, network.CookieSameSiteLax, flow.SameSite)

	phone.approveAs(app, code, "user_noor_haddad")
	assert.Equal(t, "user_noor_haddad", victim.user())
	assert.Nil(t, victim.cookie(app.site, flow.Name), "the flow's cookie outlives the flow")
	thief.steal(app.site, flow)
	gets("the cookie of a flow that is over", "signin")

	login := victim.cookie(app.site, "weblogin-session")
	require.NotNil(t, login)
	assert.True(t, login.HTTPOnly)
	assert.Equal(t, network.CookieSameSiteLax, login.SameSite)
	assert.Empty(t, ask[string](victim, "document.cookie"))
	victim.press("#sign-out")
	victim.until(atHome)
	thief.steal(app.site, login)
	gets("the cookie of who has signed out", "")
}
