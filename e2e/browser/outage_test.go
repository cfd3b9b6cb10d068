package browser_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestOutage replaces the server under a sign-in page, as a deployment does
// behind a proxy: the page stays what it is, and goes on when there is somebody
// to go on with.
func TestOutage(t *testing.T) {
	t.Parallel()
	app, srv := startDriven(t)
	site, err := url.Parse(app.site)
	require.NoError(t, err)
	proxy := &httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(site)
		r.Out.Host = r.In.Host
	}}
	var down atomic.Bool
	var refused atomic.Int32
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if down.Load() {
			refused.Add(1)
			http.Error(w, "Bad Gateway", http.StatusBadGateway)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	app.site = front.URL + "/"

	page := newTab(t)
	page.startSignIn(app)
	page.mark()
	page.excuse("502")
	page.excuse("net::ERR_")
	down.Store(true)
	front.CloseClientConnections()
	require.Eventually(t, func() bool { return refused.Load() > 2 }, patience, pause, "the page does not ask again")
	assert.True(t, page.marked(), "the page gave way to the proxy's error")
	page.until(atState("waiting"))

	require.NoError(t, srv.Scan(srv.AuthSessions()[0].ID))
	down.Store(false)
	page.until(atState("scanned"))
	require.NoError(t, srv.Approve(srv.AuthSessions()[0].ID, "user_noor_haddad"))
	assert.Equal(t, "user_noor_haddad", page.user())
}

// TestHiddenTab hides a sign-in page: it gives its stream back, for browsers
// allow a site few connections, and takes a new one when it is seen again.
func TestHiddenTab(t *testing.T) {
	t.Parallel()
	app, srv := startDriven(t)
	page := newTab(t)
	page.startSignIn(app)
	page.mark()
	hide := func(hidden string) {
		ask[bool](page, `Object.defineProperty(document, "hidden", {value: `+hidden+`, configurable: true}) &&
			dispatchEvent(new Event("visibilitychange"))`)
	}
	hide("true")
	// A flow has four streams at most: there is room for all of them now.
	assert.True(t, ask[bool](page, `new Promise((done) => {
		window.streams = [1, 2, 3, 4].map(() => new EventSource("/signin/events"));
		let open = 0;
		for (const stream of streams) {
			stream.addEventListener("state", () => { if (++open === 4) done(true); });
			stream.addEventListener("error", () => done(false));
		}
	})`), "the page keeps its stream")
	ask[bool](page, `streams.forEach((stream) => stream.close()) === undefined`)
	require.NoError(t, srv.Scan(srv.AuthSessions()[0].ID))
	hide("false")
	page.until(atState("scanned"))
	assert.True(t, page.marked(), "the page was loaded again")
}
