package mid_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/mobid-io/mid-go"
)

func session(*http.Request) (*http.Response, error) { return answer(200, ok(pendingSession)), nil }

// look makes one call.
func look(ctx context.Context, c *mid.Client, opts ...mid.RequestOption) error {
	_, err := c.Authentication.GetSession(ctx, "sess_1", opts...)
	return err
}

// The token request is the contract's: JSON, no Idempotency-Key, no bearer.
func TestTokenRequestIsJSON(t *testing.T) {
	var got sent
	a := &api{handle: session}
	c := a.client(t, mid.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
		return tripper(func(r *http.Request) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "/auth/token") {
				body, err := r.Body, error(nil)
				require.NoError(t, err)
				var buf strings.Builder
				_, err = copyAll(&buf, body)
				require.NoError(t, err)
				got = sent{Method: r.Method, Path: r.URL.Path, Header: r.Header.Clone(), Body: buf.String()}
				r.Body = readCloser(buf.String())
			}
			return next.RoundTrip(r)
		})
	}))
	require.NoError(t, look(t.Context(), c))

	require.Equal(t, "POST", got.Method)
	require.Equal(t, "/v1/auth/token", got.Path)
	require.Equal(t, "application/json", got.Header.Get("Content-Type"))
	require.Empty(t, got.Header.Get("Idempotency-Key"))
	require.Empty(t, got.Header.Get("Authorization"))
	var body map[string]string
	require.NoError(t, json.Unmarshal([]byte(got.Body), &body))
	require.Equal(t, map[string]string{"client_id": testID, "client_secret": testSecret, "grant_type": "client_credentials"}, body)
}

func TestTokenAnswerBareOrEnveloped(t *testing.T) {
	for name, body := range map[string]string{
		"enveloped":   ok(`{"access_token":"token-1","token_type":"Bearer","expires_in":3600}`),
		"bare":        `{"access_token":"token-1","token_type":"bearer","expires_in":3600}`,
		"no lifetime": `{"access_token":"token-1"}`,
		"string":      `{"access_token":"token-1","token_type":"Bearer","expires_in":"3600","scope":null}`,
	} {
		t.Run(name, func(t *testing.T) {
			a := &api{handle: session, token: func(int) (*http.Response, error) { return answer(200, body), nil }}
			require.NoError(t, look(t.Context(), a.client(t)))
			require.Equal(t, "Bearer token-1", a.sent()[0].Header.Get("Authorization"))
		})
	}
}

func TestTokenAnswerThatCannotBeUsed(t *testing.T) {
	for name, test := range map[string]struct{ body, want string }{
		"no token":   {ok(`{"token_type":"Bearer"}`), "no access_token"},
		"not JSON":   {"<html>hello</html>", "not JSON"},
		"mac token":  {ok(`{"access_token":"hush-hush","token_type":"mac"}`), "other than Bearer"},
		"line break": {ok(`{"access_token":"hush-hush\r\nX: y"}`), "no header may hold"},
		"empty":      {"", "JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			a := &api{handle: session, token: func(int) (*http.Response, error) { return answer(200, test.body), nil }}
			err := look(t.Context(), a.client(t))
			require.ErrorContains(t, err, test.want)
			require.ErrorContains(t, err, "POST /auth/token")
			require.NotContains(t, err.Error(), "hush-hush")
			require.Empty(t, a.sent())
			require.Equal(t, 1, a.tokenRequests())
		})
	}
}

func TestTokenErrorWithStatus200SurfacesWithItsCode(t *testing.T) {
	a := &api{handle: session, token: func(int) (*http.Response, error) {
		return answer(200, `{"error":"invalid_client","error_description":"unknown client"}`), nil
	}}
	err := look(t.Context(), a.client(t))
	require.ErrorIs(t, err, mid.ErrInvalidClient)
	apiErr, ok := errors.AsType[*mid.APIError](err)
	require.True(t, ok)
	require.Equal(t, 200, apiErr.StatusCode)
	require.Equal(t, "unknown client", apiErr.Message)
}

func TestInvalidClientMakesOneTokenRequest(t *testing.T) {
	a := &api{handle: session, token: func(int) (*http.Response, error) {
		return answer(401, problem("invalid_client", "unknown client", "")), nil
	}}
	err := look(t.Context(), a.client(t))
	require.ErrorIs(t, err, mid.ErrInvalidClient)
	require.ErrorIs(t, err, mid.ErrUnauthorized)
	require.Equal(t, 1, a.tokenRequests())
	require.Empty(t, a.sent())
}

// A token request is retried twice by itself; what is left of the calls' own
// retries follows.
func TestTokenRequestHasItsOwnSmallRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &api{handle: session, token: func(n int) (*http.Response, error) {
			if n < 3 {
				return answer(503, problem("service_unavailable", "later", "")), nil
			}
			return tokenAnswer(n, time.Hour), nil
		}}
		require.NoError(t, look(t.Context(), a.client(t), mid.WithoutRetry()))
		require.Equal(t, 3, a.tokenRequests())

		down := &api{handle: session, token: func(int) (*http.Response, error) { return nil, errors.New("no route") }}
		require.ErrorContains(t, look(t.Context(), down.client(t), mid.WithoutRetry()), "no route")
		require.Equal(t, 3, down.tokenRequests())
		require.ErrorContains(t, look(t.Context(), down.client(t)), "no route")
		require.Equal(t, 3+4*3, down.tokenRequests())
	})
}

// 1,000 goroutines on an expired token cause one token request.
func TestExpiredTokenIsFetchedOnceForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &api{handle: session}
		a.token = func(n int) (*http.Response, error) {
			time.Sleep(300 * time.Millisecond)
			return tokenAnswer(n, time.Hour), nil
		}
		c := a.client(t)
		require.NoError(t, look(t.Context(), c))
		time.Sleep(2 * time.Hour)

		var wg sync.WaitGroup
		for range 1000 {
			wg.Go(func() {
				if err := look(t.Context(), c); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		require.Equal(t, 2, a.tokenRequests())
		for _, s := range a.sent()[1:] {
			require.Equal(t, "Bearer token-2", s.Header.Get("Authorization"))
		}
	})
}

// A caller whose ctx ends while it waits returns at once, and no other does.
func TestCallerLeavesATokenFetchAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &api{handle: session}
		a.token = func(n int) (*http.Response, error) {
			time.Sleep(10 * time.Second)
			return tokenAnswer(n, time.Hour), nil
		}
		c := a.client(t)
		start := time.Now()
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			// It is the one that starts the fetch.
			if err := look(impatient, c); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
				t.Errorf("after %v: %v", time.Since(start), err)
			}
		})
		synctest.Wait()
		wg.Go(func() {
			if err := look(t.Context(), c); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
		require.Equal(t, 10*time.Second, time.Since(start))
		require.Equal(t, 1, a.tokenRequests())
	})
}

// A token is renewed ahead of its expiry, and no call waits for it.
func TestTokenIsRenewedInTheBackground(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &api{handle: session}
		c := a.client(t)
		require.NoError(t, look(t.Context(), c))
		a.token = func(n int) (*http.Response, error) {
			time.Sleep(5 * time.Second)
			return tokenAnswer(n, time.Hour), nil
		}
		time.Sleep(56 * time.Minute)
		start := time.Now()
		require.NoError(t, look(t.Context(), c))
		require.Zero(t, time.Since(start), "the call waited for the renewal")
		require.Equal(t, "Bearer token-1", last(a.sent()).Header.Get("Authorization"))

		time.Sleep(6 * time.Second)
		require.NoError(t, look(t.Context(), c))
		require.Equal(t, "Bearer token-2", last(a.sent()).Header.Get("Authorization"))
		require.Equal(t, 2, a.tokenRequests())
	})
}

// A failed early renewal keeps the token that is still good, and is tried
// again.
func TestFailedRenewalKeepsTheToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &api{handle: session}
		c := a.client(t)
		require.NoError(t, look(t.Context(), c))
		a.token = func(n int) (*http.Response, error) {
			if n < 5 {
				return answer(500, problem("internal_error", "later", "")), nil
			}
			return tokenAnswer(n, time.Hour), nil
		}
		time.Sleep(56 * time.Minute)
		for range 60 {
			require.NoError(t, look(t.Context(), c))
			time.Sleep(2 * time.Second)
		}
		require.Equal(t, 5, a.tokenRequests(), "the renewal is neither given up nor hammered")
		require.Equal(t, "Bearer token-5", last(a.sent()).Header.Get("Authorization"))
	})
}

// The margins are clamped for tokens that live seconds.
func TestShortLivedTokensAreUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &api{handle: session}
		a.token = func(n int) (*http.Response, error) { return tokenAnswer(n, 4*time.Second), nil }
		c := a.client(t)
		for range 20 {
			require.NoError(t, look(t.Context(), c))
			time.Sleep(100 * time.Millisecond)
		}
		require.Equal(t, 1, a.tokenRequests())
		time.Sleep(time.Minute)
		require.NoError(t, look(t.Context(), c))
		require.Equal(t, 2, a.tokenRequests())
	})
}

// A 401 drops the token, fetches one and replays once, whatever MaxRetries
// says; it counts in Attempts.
func TestUnauthorizedIsReplayedOnce(t *testing.T) {
	revoked := func(r *http.Request) (*http.Response, error) {
		if r.Header.Get("Authorization") == "Bearer token-1" {
			return answer(401, problem("unauthorized", "the token was revoked", "")), nil
		}
		return answer(201, ok(pendingSession)), nil
	}
	for _, policy := range []mid.RetryPolicy{{MaxRetries: 0}, {MaxRetries: 3}} {
		a := &api{handle: revoked}
		c := a.client(t, mid.WithRetry(policy))
		var r mid.Response
		_, err := c.Authentication.CreateSession(t.Context(), mid.CreateAuthSessionParams{Intent: mid.IntentLogin}, mid.WithResponse(&r))
		require.NoError(t, err)
		require.Equal(t, 2, r.Attempts)
		require.Equal(t, 2, a.tokenRequests())
		calls := a.sent()
		require.Len(t, calls, 2)
		require.Equal(t, calls[0].Body, calls[1].Body)
		require.Equal(t, calls[0].Header.Get("Idempotency-Key"), calls[1].Header.Get("Idempotency-Key"))
	}
}

func TestUnauthorizedIsNotReplayedWithoutRetry(t *testing.T) {
	a := &api{handle: answers(status(401, problem("unauthorized", "no", "")), status(200, ok(pendingSession)))}
	c := a.client(t)
	require.ErrorIs(t, look(t.Context(), c, mid.WithoutRetry()), mid.ErrUnauthorized)
	require.Len(t, a.sent(), 1)
	require.NoError(t, look(t.Context(), c))
	require.Equal(t, 2, a.tokenRequests(), "the refused token must not be used again")
}

func TestSecondUnauthorizedSurfaces(t *testing.T) {
	a := &api{handle: answers(status(401, problem("unauthorized", "no", "")))}
	err := look(t.Context(), a.client(t))
	apiErr, ok := errors.AsType[*mid.APIError](err)
	require.True(t, ok)
	require.Equal(t, 401, apiErr.StatusCode)
	require.Equal(t, 2, apiErr.Attempts)
	require.Len(t, a.sent(), 2)
	require.Equal(t, 2, a.tokenRequests())
}

// Many calls that are refused with the same old token fetch one new token:
// none drops the newer one.
func TestOnlyTheRefusedTokenIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &api{}
		a.handle = func(r *http.Request) (*http.Response, error) {
			token := r.Header.Get("Authorization")
			if token == "Bearer token-1" && r.URL.Query().Get("slow") != "" {
				time.Sleep(time.Minute) // answered long after the others have the new token
			}
			if token == "Bearer token-1" {
				return answer(401, problem("unauthorized", "revoked", "")), nil
			}
			return answer(200, ok(pendingSession)), nil
		}
		c := a.client(t, mid.WithAttemptTimeout(time.Hour))
		var wg sync.WaitGroup
		for i := range 100 {
			path := "/auth/sessions/sess_1"
			if i%2 == 0 {
				path += "?slow=1"
			}
			wg.Go(func() {
				if err := c.Call(t.Context(), "GET", path, nil, nil); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		require.Equal(t, 2, a.tokenRequests())
	})
}

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

// cache records what the client asks of it.
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

// The client asks its TokenCache at every send.
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

func TestTokenCacheFailureIsTheCallsError(t *testing.T) {
	a := &api{handle: session}
	err := look(t.Context(), a.client(t, mid.WithTokenCache(&cache{err: errors.New("the store is down")})))
	require.ErrorContains(t, err, "the store is down")
	require.Empty(t, a.sent())
	require.Error(t, look(t.Context(), a.client(t, mid.WithTokenCache(&cache{token: new(oauth2.Token)}))), "an empty token")
}

type ctxKey struct{}

// fetch gets a ctx of the cache's, with the values of a caller's but never its
// end. It belongs to the operation of a token request.
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
