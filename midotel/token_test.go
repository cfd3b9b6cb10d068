package midotel_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/oauth2"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

func TestTokenCacheConforms(t *testing.T) {
	midtest.TestTokenCache(t, func(t *testing.T) mid.TokenCache {
		t.Helper()
		return newTelemetry(t).tokenCache(t)
	})
}

// The same options observe clients of two accounts, each with a token of its own.
func TestOptionsForSeveralClients(t *testing.T) {
	tel := newTelemetry(t)
	opts := tel.ClientOptions()
	for range 2 {
		srv := midtest.NewServer()
		t.Cleanup(srv.Close)
		_, err := srv.Client(opts...).Authentication.CreateSession(t.Context(), login)
		require.NoError(t, err)
		require.Len(t, srv.Requests(), 2, "a token and a session")
	}
	require.Len(t, tel.named("token"), 2)
}

// A cache that the application gives is observed, wherever its option stands.
func TestSharedTokenCacheIsObserved(t *testing.T) {
	tel := newTelemetry(t)
	fetched := &oauth2.Token{AccessToken: "token-1"}
	shared := mid.NewTokenCache()
	token, err := tel.tokenCache(t, mid.WithTokenCache(shared)).Token(t.Context(),
		func(context.Context) (*oauth2.Token, error) { return fetched, nil })
	require.NoError(t, err)
	require.Same(t, fetched, token)
	require.Len(t, tel.named("token"), 1)
	token, err = shared.Token(t.Context(), nil)
	require.NoError(t, err)
	require.Same(t, fetched, token)
}

// A fetch that panics or ends its goroutine is a failure.
func TestTokenFetchThatPanics(t *testing.T) {
	tel := newTelemetry(t)
	_, err := tel.tokenCache(t).Token(t.Context(), func(context.Context) (*oauth2.Token, error) { panic("vault") })
	require.Error(t, err)
	span := tel.one(t, "token")
	require.Equal(t, codes.Error, span.Status().Code)
	require.Equal(t, "_OTHER", attrs(span)["error.type"])
	require.Equal(t, []string{"error.type=_OTHER: 1"}, tel.points(t, "mid.client.token.fetches"))
}

// The span of a token has a link to each call that waited for it, and the token's
// wire sends below it.
func TestTokenSpanLinksToThoseWhoWait(t *testing.T) {
	tel := newTelemetry(t)
	synctest.Test(t, func(t *testing.T) {
		cache := tel.tokenCache(t)
		gate := make(chan struct{})
		var all sync.WaitGroup
		waiting := make(map[trace.SpanID]bool)
		for range 3 {
			ctx, span := tel.tracer.Start(context.Background(), "waits")
			waiting[span.SpanContext().SpanID()] = true
			all.Go(func() {
				_, err := cache.Token(ctx, func(context.Context) (*oauth2.Token, error) {
					<-gate
					return &oauth2.Token{AccessToken: "token-1"}, nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		ctx, span := tel.tracer.Start(context.Background(), "gives up")
		ctx, cancel := context.WithCancel(ctx)
		all.Go(func() { _, _ = cache.Token(ctx, nil) })
		synctest.Wait()
		cancel()
		synctest.Wait()
		close(gate)
		all.Wait()

		links := tel.one(t, "token").Links()
		require.Len(t, links, 3)
		for _, l := range links {
			require.True(t, waiting[l.SpanContext.SpanID()])
			require.NotEqual(t, span.SpanContext().SpanID(), l.SpanContext.SpanID())
		}
		// With the token in the cache, nothing is fetched and nothing linked.
		_, err := cache.Token(context.Background(), nil)
		require.NoError(t, err)
		require.Len(t, tel.named("token"), 1)
	})
}

func TestTokenFetches(t *testing.T) {
	srv := midtest.NewServer()
	defer srv.Close()
	srv.Inject(midtest.Fault{Method: http.MethodPost, Path: "/auth/token", Status: http.StatusForbidden})
	tel := newTelemetry(t)
	client := tel.client(srv, mid.WithRetry(mid.RetryPolicy{}))
	_, err := client.Authentication.CreateSession(t.Context(), login)
	require.Error(t, err)
	_, err = client.Authentication.CreateSession(t.Context(), login)
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"error.type=403: 1", ": 1"}, tel.points(t, "mid.client.token.fetches"))
	fetches, sends, calls := tel.named("token"), tel.named("POST /auth/token"), tel.named("auth.sessions.create")
	require.Len(t, fetches, 2)
	require.Len(t, sends, 2)
	require.Len(t, calls, 2)
	for i, s := range sends {
		require.Equal(t, fetches[i].SpanContext().SpanID(), s.Parent().SpanID())
		require.Equal(t, calls[i].SpanContext().SpanID(), fetches[i].Parent().SpanID())
		require.Len(t, fetches[i].Links(), 1)
	}
	require.Equal(t, "0", attrs(calls[0])["mid.attempts"], "a token request is no attempt of the call")
	require.Equal(t, "1", attrs(calls[1])["mid.attempts"])
}
