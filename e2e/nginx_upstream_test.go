package e2e_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

// TestNginxBadGateway meets nginx's page when nothing is behind it.
func TestNginxBadGateway(t *testing.T) {
	addr := nginx(t, freeAddr(t), nginxConfig{})
	var log journal
	c, err := mid.NewClient("client", "a long secret", mid.WithBaseURL("http://"+addr+"/v1"), mid.WithMiddleware(log.wrap), quickRetries(1))
	require.NoError(t, err)
	_, err = c.Authentication.GetSession(bounded(t), "sess_1")
	require.ErrorIs(t, err, mid.ErrServer)
	apiErr := asAPIError(t, err)
	assert.Equal(t, http.StatusBadGateway, apiErr.StatusCode)
	assert.Empty(t, apiErr.Code)
	assert.Contains(t, apiErr.Message, "502 Bad Gateway")
	assert.NotContains(t, err.Error(), "<")
	assert.Contains(t, string(apiErr.Body), "<html>")
	assert.Equal(t, "text/html", apiErr.Header.Get("Content-Type"))
	assert.Equal(t, "/auth/token", apiErr.Path)
	assert.Greater(t, len(log.with(http.StatusBadGateway)), 1, "a 502 is retried")
}

// TestNginxUpstreamComesUp has the server start while the SDK waits.
func TestNginxUpstreamComesUp(t *testing.T) {
	upstream := freeAddr(t)
	addr := nginx(t, upstream, nginxConfig{})
	srv := newMID(t)
	refused := make(chan struct{}, 100)
	watch := func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			res, err := next.RoundTrip(req)
			if err == nil && res.StatusCode == http.StatusBadGateway {
				refused <- struct{}{}
			}
			return res, err
		})
	}
	c := clientAt(srv, "http://"+addr+"/v1", mid.WithMiddleware(watch),
		mid.WithRetry(mid.RetryPolicy{MaxRetries: 50, MinWait: 50 * time.Millisecond, MaxWait: 100 * time.Millisecond}))
	done := make(chan error, 1)
	go func() {
		done <- second(c.Authentication.CreateSession(bounded(t), mid.CreateAuthSessionParams{Intent: mid.IntentLogin}))
	}()
	<-refused
	l, err := net.Listen("tcp", upstream)
	require.NoError(t, err)
	target, err := url.Parse("http://" + hostOf(srv))
	require.NoError(t, err)
	late := &httptest.Server{Listener: l, Config: &http.Server{Handler: httputil.NewSingleHostReverseProxy(target)}}
	late.Start()
	t.Cleanup(late.Close)
	require.NoError(t, <-done)
	assert.Len(t, srv.AuthSessions(), 1)
}

// TestNginxComesUp has the proxy itself start late: connections are refused.
func TestNginxComesUp(t *testing.T) {
	findNginx(t)
	srv := newMID(t)
	addr := freeAddr(t)
	refused := make(chan struct{}, 100)
	watch := func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			res, err := next.RoundTrip(req)
			if err != nil {
				refused <- struct{}{}
			}
			return res, err
		})
	}
	c := clientAt(srv, "http://"+addr+"/v1", mid.WithMiddleware(watch),
		mid.WithRetry(mid.RetryPolicy{MaxRetries: 100, MinWait: 50 * time.Millisecond, MaxWait: 100 * time.Millisecond}))
	done := make(chan error, 1)
	go func() { done <- second(c.Authentication.GetSession(bounded(t), "sess_1")) }()
	<-refused
	nginxAt(t, addr, hostOf(srv), nginxConfig{})
	require.ErrorIs(t, <-done, mid.ErrNotFound)
}

// TestNginxGatewayTimeout has nginx give up on a slow server. The session is
// created once, whatever was sent twice.
func TestNginxGatewayTimeout(t *testing.T) {
	srv := newMID(t)
	addr := nginx(t, hostOf(srv), nginxConfig{location: "proxy_read_timeout 300ms;"})
	var log journal
	c := clientAt(srv, "http://"+addr+"/v1", mid.WithMiddleware(log.wrap), quickRetries(3))
	srv.Inject(midtest.Fault{Path: "/auth/sessions", Latency: 5 * time.Second})
	var answer mid.Response
	_, err := c.Authentication.CreateSession(bounded(t), mid.CreateAuthSessionParams{Intent: mid.IntentLogin}, mid.WithResponse(&answer))
	require.NoError(t, err)
	assert.Equal(t, 2, answer.Attempts)
	assert.Len(t, log.with(http.StatusGatewayTimeout), 1)
	assert.Len(t, srv.AuthSessions(), 1)
}

// TestNginxTooLarge has nginx refuse an upload by its length, long before it is
// sent.
func TestNginxTooLarge(t *testing.T) {
	srv := newMID(t)
	addr := nginx(t, hostOf(srv), nginxConfig{server: "client_max_body_size 64k;"})
	c := clientAt(srv, "http://"+addr+"/v1")
	for _, size := range []int{100 << 10, 20 << 20} {
		_, err := c.Signing.UploadDocument(bounded(t), mid.UploadSigningDocumentParams{File: mid.FileFromBytes("big.pdf", make([]byte, size))})
		require.ErrorIs(t, err, mid.ErrPayloadTooLarge)
		apiErr := asAPIError(t, err)
		assert.Contains(t, apiErr.Message, "413 Request Entity Too Large")
		assert.Equal(t, 1, apiErr.Attempts)
	}
}
