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

// front stands before a site as a proxy does.
type front struct {
	down    atomic.Bool  // answers everything with 502
	refused atomic.Int32 // requests, so far
	streams atomic.Int32 // of server-sent events, at the moment
}

// stand has people reach the site through the front.
func (f *front) stand(t *testing.T, app *weblogin) *httptest.Server {
	t.Helper()
	site, err := url.Parse(app.site)
	require.NoError(t, err)
	proxy := &httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(site)
		r.Out.Host = r.In.Host
	}}
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
	app.site = server.URL + "/"
	return server
}

// TestOutage replaces the server under a sign-in page, as a deployment does
// behind a proxy: the page stays what it is, and goes on when there is somebody
// to go on with.
func TestOutage(t *testing.T) {
	t.Parallel()
	app, srv := startDriven(t)
	var f front
	proxy := f.stand(t, &app)
	page := newTab(t)
	page.startSignIn(app)
	page.mark()
	page.excuse("502")
	page.excuse("net::ERR_")
	f.down.Store(true)
	proxy.CloseClientConnections()
	require.Eventually(t, func() bool { return f.refused.Load() > 2 }, patience, pause, "the page does not ask again")
	assert.True(t, page.marked(), "the page gave way to the proxy's error")
	page.until(atState("waiting"))

	require.NoError(t, srv.Scan(srv.AuthSessions()[0].ID))
	f.down.Store(false)
	page.until(atState("scanned"))
	require.NoError(t, srv.Approve(srv.AuthSessions()[0].ID, "user_noor_haddad"))
	assert.Equal(t, "user_noor_haddad", page.user())
}

// TestHiddenTab hides a sign-in page: it gives its stream back, for browsers
// allow a site few connections, and takes a new one when it is seen again.
func TestHiddenTab(t *testing.T) {
	t.Parallel()
	app, srv := startDriven(t)
	var f front
	f.stand(t, &app)
	page := newTab(t)
	page.startSignIn(app)
	page.mark()
	streams := func(want int32) {
		t.Helper()
		// Chromium reads on for some seconds in what nobody wants any more.
		require.Eventually(t, func() bool { return f.streams.Load() == want }, patience, pause, "want %d streams", want)
	}
	hide := func(hidden string) {
		ask[bool](page, `Object.defineProperty(document, "hidden", {value: `+hidden+`, configurable: true}) &&
			dispatchEvent(new Event("visibilitychange"))`)
	}
	streams(1)
	hide("true")
	streams(0)
	require.NoError(t, srv.Scan(srv.AuthSessions()[0].ID))
	hide("false")
	page.until(atState("scanned"))
	streams(1)
	assert.True(t, page.marked(), "the page was loaded again")
}
