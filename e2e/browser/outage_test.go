package browser_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go/midtest"
)

// front stands before a site as a proxy does.
type front struct {
	down    atomic.Bool  // answers everything with 502
	refused atomic.Int32 // requests, so far
	streams atomic.Int32 // of server-sent events, at the moment
}

// stand has people reach the site through the front, at the URL that it returns.
func (f *front) stand(t *testing.T, s *site) (*httptest.Server, string) {
	t.Helper()
	behind, err := url.Parse(s.url)
	require.NoError(t, err)
	proxy := &httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(behind) }}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f.down.Load() {
			f.refused.Add(1)
			http.Error(w, "Bad Gateway", http.StatusBadGateway)
			return
		}
		if r.URL.Path == "/signin/events" {
			f.streams.Add(1)
			defer f.streams.Add(-1)
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server, server.URL + "/"
}

// TestOutage replaces the server under a sign-in page, as a deployment does
// behind a proxy: the page stays what it is, and goes on when there is something
// to go on with.
func TestOutage(t *testing.T) {
	t.Parallel()
	site := startSite(t, nil)
	var f front
	proxy, reached := f.stand(t, site)
	page := newTab(t)
	page.startSignIn(reached)
	page.mark()
	page.excuse("502")
	page.excuse("net::ERR_")
	f.down.Store(true)
	proxy.CloseClientConnections()
	require.Eventually(t, func() bool { return f.refused.Load() > 2 }, patience, pause, "the page does not ask again")
	assert.True(t, page.marked(), "the page gave way to the proxy's error")
	page.until(atState("waiting"))

	require.NoError(t, site.Scan(site.newest()))
	f.down.Store(false)
	page.until(atState("scanned"))
	assert.True(t, page.marked(), "the page was loaded again")
	require.NoError(t, site.Approve(site.newest(), "user_noor_haddad"))
	assert.Equal(t, "user_noor_haddad", page.user())
}

// hide has the page believe that it is out of sight, or seen again.
func (tb *tab) hide(hidden string) {
	tb.t.Helper()
	ask[bool](tb, `Object.defineProperty(document, "hidden", {value: `+hidden+`, configurable: true}) &&
		dispatchEvent(new Event("visibilitychange"))`)
}

// TestHiddenTab hides a sign-in page: it gives its stream back, for browsers
// allow a site few connections, and takes a new one when it is seen again.
func TestHiddenTab(t *testing.T) {
	t.Parallel()
	site := startSite(t, nil)
	var f front
	_, reached := f.stand(t, site)
	page := newTab(t)
	page.startSignIn(reached)
	page.mark()
	streams := func(want int32) {
		t.Helper()
		// Chromium reads on for some seconds in what it wants no more.
		require.Eventually(t, func() bool { return f.streams.Load() == want }, patience, pause, "want %d streams", want)
	}
	streams(1)
	page.hide("true")
	streams(0)
	require.NoError(t, site.Scan(site.newest()))
	page.hide("false")
	page.until(atState("scanned"))
	streams(1)
	assert.True(t, page.marked(), "the page was loaded again")
}

// TestFrozenTab is a phone's: it freezes the tab while its person approves in
// the app, and finds it signed in when they are back.
func TestFrozenTab(t *testing.T) {
	t.Parallel()
	site := startSite(t, nil)
	tb := newTab(t)
	tb.startSignIn(site.url)
	tb.use(look{"light", 360})
	assert.Equal(t, ask[string](tb, `document.getElementById("app-link").href`), "mid://auth?session="+site.newest())
	assert.Less(t, ask[float64](tb, `document.getElementById("app-link").getBoundingClientRect().bottom`),
		ask[float64](tb, `document.getElementById("qr").getBoundingClientRect().top`), "on a phone the app comes first")

	lifecycle := func(state page.SetWebLifecycleStateState) {
		command(tb, page.SetWebLifecycleState, page.SetWebLifecycleStateParams{State: state})
	}
	lifecycle(page.SetWebLifecycleStateStateFrozen)
	require.NoError(t, site.Approve(site.newest(), "user_ada_marsh"))
	lifecycle(page.SetWebLifecycleStateStateActive)
	assert.Equal(t, "user_ada_marsh", tb.user())
}

// TestWayBack returns to the page from another one, which browsers may show as
// they left it.
func TestWayBack(t *testing.T) {
	t.Parallel()
	site := startSite(t, nil)
	tb := newTab(t)
	tb.startSignIn(site.url)
	tb.excuse("BounceTrackingIssue") // there and back without a click is what trackers do
	tb.open("data:text/html,<!doctype html><html lang=en><title>Elsewhere</title>")
	require.NoError(t, site.Approve(site.newest(), "user_ada_marsh"))
	ask[int](tb, "setTimeout(() => history.back(), 100)")
	assert.Equal(t, "user_ada_marsh", tb.user())
}

// TestTroubleWithMID: the person at the page reads that it did not work, and can
// try again.
func TestTroubleWithMID(t *testing.T) {
	t.Parallel()
	site := startSite(t, nil)
	page := newTab(t)
	site.Inject(midtest.Fault{Method: http.MethodPost, Path: "/auth/sessions", Status: http.StatusForbidden})
	page.excuse("503")
	page.open(site.url)
	page.press("#start")
	page.until(atProblem)
	page.press("#start")
	page.until(atState("waiting"))

	site.Inject(midtest.Fault{Method: http.MethodPost, Path: "/auth/verify", Status: http.StatusForbidden})
	session := site.newest()
	require.NoError(t, site.Approve(session, "user_ada_marsh"))
	page.until(atState("failed"))
	page.press("[data-for=failed] button")
	page.until(atState("waiting"))
	assert.NotEqual(t, session, sessionIn(t, page.scan()))
}
