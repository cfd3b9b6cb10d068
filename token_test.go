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

// cache records what the client asks of it.
// The client asks its TokenCache at every send.
type ctxKey struct{}

// fetch gets a ctx of the cache's, with the values of a caller's but never its
// end. It belongs to the operation of a token request.
