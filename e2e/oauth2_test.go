package e2e_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/mobid-io/mid-go"
)

// fresh asks the token server every time. Only the SDK's cache remembers a token,
// so that a refused one is not offered again.
type fresh struct {
	ctx    context.Context
	config clientcredentials.Config
}

func (f fresh) Token() (*oauth2.Token, error) { return f.config.Token(f.ctx) }

// oauthContext has package oauth2 use a client whose connections end with the
// test.
func oauthContext(t *testing.T) context.Context {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return context.WithValue(bounded(t), oauth2.HTTPClient, &http.Client{Transport: transport})
}

// TestOAuth2Operations makes every operation with another server's tokens.
func TestOAuth2Operations(t *testing.T) {
	srv := newMID(t)
	there := newWorld(t, srv)
	g := newOAuthGateway(t, srv, time.Hour)
	ctx := oauthContext(t)
	c, err := mid.NewClient("", "", mid.WithBaseURL(g.http.URL+"/v1"), mid.WithTokenSource(mid.OAuth2TokenSource(g.config.TokenSource(ctx))))
	require.NoError(t, err)

	var wg sync.WaitGroup
	for _, op := range there.operations(t) {
		wg.Go(func() { assert.NoError(t, op.call(ctx, c), op.id) })
	}
	wg.Wait()
	assert.EqualValues(t, 1, g.tokens.Load())
	assert.Zero(t, g.refused.Load())
}

// TestOAuth2Expiry lets tokens expire: no request is sent with a dead one.
func TestOAuth2Expiry(t *testing.T) {
	srv := newMID(t)
	there := newWorld(t, srv)
	g := newOAuthGateway(t, srv, 2*time.Second)
	ctx := oauthContext(t)
	c, err := mid.NewClient("", "", mid.WithBaseURL(g.http.URL+"/v1"), mid.WithTokenSource(mid.OAuth2TokenSource(fresh{ctx, g.config})))
	require.NoError(t, err)
	for range 30 {
		_, err := c.Authentication.GetSession(ctx, there.auth.ID)
		require.NoError(t, err)
		time.Sleep(100 * time.Millisecond)
	}
	assert.Zero(t, g.refused.Load())
	assert.GreaterOrEqual(t, g.tokens.Load(), int32(2))
	assert.LessOrEqual(t, g.tokens.Load(), int32(8))
}

// TestOAuth2Revocation takes a token back: the SDK drops it and replays.
func TestOAuth2Revocation(t *testing.T) {
	srv := newMID(t)
	there := newWorld(t, srv)
	g := newOAuthGateway(t, srv, time.Hour)
	ctx := oauthContext(t)
	issued := make(chan string, 10)
	source := tokenTap{fresh{ctx, g.config}, issued}
	c, err := mid.NewClient("", "", mid.WithBaseURL(g.http.URL+"/v1"), mid.WithTokenSource(mid.OAuth2TokenSource(source)))
	require.NoError(t, err)
	_, err = c.Authentication.GetSession(ctx, there.auth.ID)
	require.NoError(t, err)

	require.NoError(t, g.manager.RemoveAccessToken(ctx, <-issued))
	var answer mid.Response
	_, err = c.Authentication.CreateSession(ctx, there.authParams(), mid.WithResponse(&answer))
	require.NoError(t, err)
	assert.Equal(t, 2, answer.Attempts)
	assert.EqualValues(t, 1, g.refused.Load())
	assert.EqualValues(t, 2, g.tokens.Load())
}

// tokenTap tells of the tokens that it passes on.
type tokenTap struct {
	oauth2.TokenSource
	issued chan<- string
}

func (s tokenTap) Token() (*oauth2.Token, error) {
	token, err := s.TokenSource.Token()
	if err == nil {
		s.issued <- token.AccessToken
	}
	return token, err
}

// TestOAuth2InvalidClient asks once with a wrong secret, and does not show it.
func TestOAuth2InvalidClient(t *testing.T) {
	g := newOAuthGateway(t, newMID(t), time.Hour)
	ctx := oauthContext(t)
	g.config.ClientSecret = "not the shop's secret"
	c, err := mid.NewClient("", "", mid.WithBaseURL(g.http.URL+"/v1"), mid.WithTokenSource(mid.OAuth2TokenSource(g.config.TokenSource(ctx))))
	require.NoError(t, err)
	_, err = c.Authentication.GetSession(ctx, "sess_1")
	require.ErrorIs(t, err, mid.ErrInvalidClient)
	assert.NotContains(t, err.Error(), "not the shop's")
	assert.EqualValues(t, 1, g.tokens.Load())
	assert.Zero(t, g.refused.Load())
}
