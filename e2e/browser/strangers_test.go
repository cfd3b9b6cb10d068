package browser_test

import (
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// flowCookie is that of a site on loopback, without TLS.
const flowCookie = "midweb-login"

// TestTwoBrowsers: each is signed in by the approval of its own code, and by no
// other.
func TestTwoBrowsers(t *testing.T) {
	t.Parallel()
	site := startSite(t, nil)
	noor, ada := newTab(t), newTab(t)
	noor.startSignIn(site.url)
	ada.startSignIn(site.url)
	code, other := noor.scan(), ada.scan()
	require.NotEqual(t, code, other)

	require.NoError(t, site.Approve(sessionIn(t, other), "user_ada_marsh"))
	assert.Equal(t, "user_ada_marsh", ada.user())
	noor.until(atState("waiting"))
	noor.open(site.url + "signin/finish") // not even if the page asks
	noor.until(atState("waiting"))
	assert.Equal(t, code, noor.scan())

	require.NoError(t, site.Approve(sessionIn(t, code), "user_noor_haddad"))
	assert.Equal(t, "user_noor_haddad", noor.user())
	ada.open(site.url)
	assert.Equal(t, "user_ada_marsh", ada.user())
}

// TestThief has another browser try all that may leak.
func TestThief(t *testing.T) {
	t.Parallel()
	site := startSite(t, nil)
	victim, thief := newTab(t), newTab(t)
	gets := func(what, path string) {
		t.Helper()
		thief.open(site.url + path)
		thief.until(atStart)
		assert.Nil(t, thief.cookie(site.url, "user"), "the thief got in with %s", what)
	}

	// A photo of the screen holds the session's id.
	victim.startSignIn(site.url)
	session := sessionIn(t, victim.scan())
	flow := victim.cookie(site.url, flowCookie)
	require.NotNil(t, flow)
	assert.NotContains(t, flow.Value, session)
	gets("the session's id in the address", "signin/finish?session="+session)
	thief.steal(site.url, &network.Cookie{Name: flow.Name, Value: session})
	gets("the session's id as the cookie", "signin/finish")

	// What else there is, no script can read, and no other site can send.
	assert.Empty(t, ask[string](victim, "document.cookie"))
	assert.True(t, flow.HTTPOnly)
	assert.Equal(t, network.CookieSameSiteLax, flow.SameSite)

	require.NoError(t, site.Approve(session, "user_noor_haddad"))
	assert.Equal(t, "user_noor_haddad", victim.user())
	assert.Nil(t, victim.cookie(site.url, flow.Name), "the flow's cookie outlives the flow")
	thief.steal(site.url, flow)
	gets("the cookie of a flow that is over", "signin/finish")
}

// TestTwoTabs: both go on when the code is approved, and a new code in one is
// seen in the other.
func TestTwoTabs(t *testing.T) {
	t.Parallel()
	site := startSite(t, nil)
	first := newTab(t)
	second := first.another()
	first.startSignIn(site.url)
	second.open(site.url)
	second.until(atState("waiting"))
	assert.Equal(t, first.scan(), second.scan())

	require.NoError(t, site.Reject(site.newest()))
	first.until(atState("rejected"))
	second.until(atState("rejected"))
	first.press("[data-for=rejected] button")
	first.until(atState("waiting"))
	second.open(site.url)
	second.until(atState("waiting"))
	require.NoError(t, site.Approve(site.newest(), "user_ada_marsh"))
	assert.Equal(t, "user_ada_marsh", first.user())
	assert.Equal(t, "user_ada_marsh", second.user())
}
