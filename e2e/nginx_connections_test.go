package e2e_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// TestNginxClosesConnections sends over connections that are announced to
// close after two requests: nothing has to be sent again.
func TestNginxClosesConnections(t *testing.T) {
	srv := newMID(t)
	there := newWorld(t, srv)
	addr := nginx(t, hostOf(srv), nginxConfig{server: "keepalive_requests 2;"})
	var log journal
	c, ctx := clientAt(srv, "http://"+addr+"/v1", mid.WithMiddleware(log.wrap), quickRetries(0)), bounded(t)
	const rounds = 5
	for range rounds {
		for _, op := range there.operations(t) {
			require.NoError(t, op.call(ctx, c), op.id)
		}
	}
	assert.Len(t, log.sends, 1+rounds*9)
}

// TestNginxDropsIdleConnections sends when the kept connection may be closed at
// that very moment, without a word.
func TestNginxDropsIdleConnections(t *testing.T) {
	srv := newMID(t)
	there := newWorld(t, srv)
	addr := nginx(t, hostOf(srv), nginxConfig{server: "keepalive_timeout 30ms;"})
	c, ctx := clientAt(srv, "http://"+addr+"/v1", quickRetries(3)), bounded(t)
	sessions := len(srv.AuthSessions())
	const calls = 30
	for i := range calls {
		require.NoError(t, second(c.Authentication.CreateSession(ctx, there.authParams())))
		time.Sleep(30*time.Millisecond + time.Duration(i-calls/2)*100*time.Microsecond)
	}
	assert.Len(t, srv.AuthSessions(), sessions+calls, "each is created once")
}

// TestNginxCompresses reads answers that a gateway has compressed, and their
// length with it.
func TestNginxCompresses(t *testing.T) {
	srv := newMID(t)
	there := newWorld(t, srv)
	addr := nginx(t, hostOf(srv), nginxConfig{
		server: "gzip on; gzip_types application/json; gzip_min_length 1; gzip_proxied any;",
	})
	c, ctx := clientAt(srv, "http://"+addr+"/v1", quickRetries(0)), bounded(t)
	for _, op := range there.operations(t) {
		var answer mid.Response
		require.NoError(t, op.call(ctx, c, mid.WithResponse(&answer)), op.id)
		if op.status == http.StatusOK { // the only success that nginx compresses
			assert.Empty(t, answer.Header.Get("Content-Length"), op.id)
		}
		assert.NotEmpty(t, answer.Data, op.id)
	}
	_, err := c.Identity.GetVerification(ctx, "ver_none")
	assert.Equal(t, mid.CodeNotFound, asAPIError(t, err).Code)
}

// TestNginxRedirects has the gateway redirect to another host: the token must
// not go there.
func TestNginxRedirects(t *testing.T) {
	srv, other := newMID(t), newMID(t)
	addr := nginx(t, hostOf(srv), nginxConfig{
		server: "location /v1/auth/sessions { return 307 " + other.URL + "$request_uri; }",
	})
	c := clientAt(srv, "http://"+addr+"/v1", quickRetries(3))
	_, err := c.Authentication.CreateSession(bounded(t), mid.CreateAuthSessionParams{Intent: mid.IntentLogin})
	apiErr := asAPIError(t, err)
	assert.Equal(t, http.StatusTemporaryRedirect, apiErr.StatusCode)
	assert.Equal(t, 1, apiErr.Attempts)
	assert.Empty(t, other.Requests())
}
