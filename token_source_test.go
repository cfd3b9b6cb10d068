package mid_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/mobid-io/mid-go"
)

type source func(ctx context.Context) (*oauth2.Token, error)

func (f source) Token(ctx context.Context) (*oauth2.Token, error) { return f(ctx) }

func TestTokenSourceIsCached(t *testing.T) {
	n := 0
	src := source(func(context.Context) (*oauth2.Token, error) {
		n++
		return &oauth2.Token{AccessToken: "mine"}, nil
	})
	a := &api{handle: session}
	c, err := mid.NewClient("", "", mid.WithTokenSource(src), mid.WithHTTPClient(&http.Client{Transport: a}))
	require.NoError(t, err)
	for range 3 {
		require.NoError(t, look(t.Context(), c))
	}
	require.Equal(t, 1, n)
	require.Zero(t, a.tokenRequests())
	require.Equal(t, "Bearer mine", a.sent()[0].Header.Get("Authorization"))
}

func TestTokenSourceThatReturnsNothing(t *testing.T) {
	for _, src := range []source{
		func(context.Context) (*oauth2.Token, error) { return nil, nil },
		func(context.Context) (*oauth2.Token, error) { return new(oauth2.Token), nil },
	} {
		a := &api{handle: session}
		require.ErrorContains(t, look(t.Context(), a.client(t, mid.WithTokenSource(src))), "mid: WithTokenSource returned no token")
		require.Empty(t, a.sent())
	}
}

type plainSource func() (*oauth2.Token, error)

func (f plainSource) Token() (*oauth2.Token, error) { return f() }

func TestOAuth2TokenSource(t *testing.T) {
	src := mid.OAuth2TokenSource(plainSource(func() (*oauth2.Token, error) { return &oauth2.Token{AccessToken: "theirs"}, nil }))
	a := &api{handle: session}
	require.NoError(t, look(t.Context(), a.client(t, mid.WithTokenSource(src))))
	require.Equal(t, "Bearer theirs", a.sent()[0].Header.Get("Authorization"))

	_, err := mid.NewClient("", "", mid.WithTokenSource(mid.OAuth2TokenSource(nil)))
	require.ErrorContains(t, err, "WithTokenSource needs a token source")

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = src.Token(ended)
	require.ErrorIs(t, err, context.Canceled)

	refused := mid.OAuth2TokenSource(plainSource(func() (*oauth2.Token, error) {
		return nil, &oauth2.RetrieveError{
			Response: &http.Response{StatusCode: 401}, ErrorCode: "invalid_client",
			Body: []byte(`{"error":"invalid_client","echo":"hush-hush"}`),
		}
	}))
	err = look(t.Context(), a.client(t, mid.WithTokenSource(refused)))
	require.ErrorIs(t, err, mid.ErrInvalidClient)
	require.NotContains(t, err.Error(), "hush-hush")
}

type cache struct {
	token   *oauth2.Token
	asked   int
	dropped []string
	err     error
}

func (c *cache) Token(ctx context.Context, fetch func(context.Context) (*oauth2.Token, error)) (*oauth2.Token, error) {
	c.asked++
	if c.token != nil || c.err != nil {
		return c.token, c.err
	}
	var err error
	c.token, err = fetch(context.Background())
	return c.token, err
}

func (c *cache) Invalidate(_ context.Context, t *oauth2.Token) error {
	c.dropped = append(c.dropped, t.AccessToken)
	c.token = nil
	return nil
}

func TestTokenCacheIsAskedAtEverySend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := new(cache)
		a := &api{handle: answers(
			status(503, problem("service_unavailable", "later", "")),
			status(401, problem("unauthorized", "revoked", "")),
			status(200, ok(pendingSession)))}
		require.NoError(t, look(t.Context(), a.client(t, mid.WithTokenCache(shared))))
		require.Equal(t, 3, shared.asked)
		require.Equal(t, []string{"token-1"}, shared.dropped)
		require.Equal(t, "Bearer token-2", last(a.sent()).Header.Get("Authorization"))
	})
}

// Middleware is around whichever cache the client has, the first the outermost.
func TestTokenCacheMiddleware(t *testing.T) {
	for name, opts := range map[string][]mid.Option{
		"of its own":    nil,
		"of the caller": {mid.WithTokenCache(new(cache))},
	} {
		t.Run(name, func(t *testing.T) {
			var order []string
			wrap := func(name string) mid.Option {
				return mid.WithTokenCacheMiddleware(func(next mid.TokenCache) mid.TokenCache {
					return askedCache{next, func() { order = append(order, name) }}
				})
			}
			a := &api{handle: session}
			c := a.client(t, append([]mid.Option{wrap("outer"), wrap("inner")}, opts...)...)
			require.NoError(t, look(t.Context(), c))
			require.NoError(t, look(t.Context(), c))
			require.Equal(t, []string{"outer", "inner", "outer", "inner"}, order)
			require.Equal(t, 1, a.tokenRequests())
		})
	}
}

// askedCache calls asked before its cache is asked.
type askedCache struct {
	mid.TokenCache
	asked func()
}

func (c askedCache) Token(ctx context.Context, fetch func(context.Context) (*oauth2.Token, error)) (*oauth2.Token, error) {
	c.asked()
	return c.TokenCache.Token(ctx, fetch)
}

func TestTokenCacheFailureIsTheCallsError(t *testing.T) {
	a := &api{handle: session}
	err := look(t.Context(), a.client(t, mid.WithTokenCache(&cache{err: errors.New("the store is down")})))
	require.ErrorContains(t, err, "the store is down")
	require.Empty(t, a.sent())
	require.Error(t, look(t.Context(), a.client(t, mid.WithTokenCache(&cache{token: new(oauth2.Token)}))), "an empty token")
}

func TestFetchGetsAContextOfItsOwn(t *testing.T) {
	var got context.Context
	var ended error
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), ctxKey{}, "trace"))
	defer cancel()
	src := source(func(fetchCtx context.Context) (*oauth2.Token, error) {
		cancel()
		got, ended = fetchCtx, fetchCtx.Err()
		return &oauth2.Token{AccessToken: "mine"}, nil
	})
	a := &api{handle: session}
	c := a.client(t, mid.WithTokenSource(src))
	require.ErrorIs(t, look(ctx, c), context.Canceled)
	require.NoError(t, look(t.Context(), c))
	require.NoError(t, ended)
	require.Equal(t, "trace", got.Value(ctxKey{}))
	op, ok := mid.OperationFrom(got)
	require.True(t, ok)
	require.Equal(t, mid.Operation{Name: "token", Path: "/auth/token"}, op)
}
