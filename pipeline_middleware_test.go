package mid_test

import (
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

func TestMiddlewareOrderAndReach(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	note := func(name string) func(http.RoundTripper) http.RoundTripper {
		return func(next http.RoundTripper) http.RoundTripper {
			return tripper(func(r *http.Request) (*http.Response, error) {
				mu.Lock()
				seen = append(seen, name+" "+r.URL.Path)
				mu.Unlock()
				return next.RoundTrip(r)
			})
		}
	}
	a := &api{handle: session}
	require.NoError(t, look(t.Context(), a.client(t, mid.WithMiddleware(note("outer")), mid.WithMiddleware(note("inner")))))
	require.Equal(t, []string{
		"outer /v1/auth/token", "inner /v1/auth/token",
		"outer /v1/auth/sessions/sess_1", "inner /v1/auth/sessions/sess_1",
	}, seen)
}

func TestMiddlewareThatReturnsNothing(t *testing.T) {
	a := &api{handle: session}
	c := a.client(t, mid.WithRetry(mid.RetryPolicy{}), mid.WithMiddleware(func(http.RoundTripper) http.RoundTripper {
		return tripper(func(*http.Request) (*http.Response, error) { return nil, nil })
	}))
	require.ErrorContains(t, look(t.Context(), c), "neither a response nor an error")
}

// Middleware that adds to the header, and a caller's own header map, see each
// attempt afresh.
func TestAttemptsDoNotShareTheHeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &api{handle: answers(status(503, "x"), status(503, "x"), status(200, ok(pendingSession)))}
		c := a.client(t, mid.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
			return tripper(func(r *http.Request) (*http.Response, error) {
				r.Header.Add("X-Trace", "one")
				return next.RoundTrip(r)
			})
		}))
		require.NoError(t, look(t.Context(), c, mid.WithHeader("X-Mine", "yes")))
		for _, s := range a.sent() {
			require.Equal(t, []string{"one"}, s.Header["X-Trace"])
			require.Equal(t, []string{"yes"}, s.Header["X-Mine"])
		}
	})
}

// Each attempt's header is its own: the replay does not change what the first
// attempt, which may still be written, carries.
func TestAReplayLeavesTheEarlierHeaderAlone(t *testing.T) {
	var headers []http.Header
	a := &api{}
	a.handle = func(r *http.Request) (*http.Response, error) {
		if headers = append(headers, r.Header); len(headers) == 1 {
			return answer(401, problem("unauthorized", "revoked", "")), nil
		}
		return session(r)
	}
	require.NoError(t, look(t.Context(), a.client(t)))
	require.Len(t, headers, 2)
	require.Equal(t, "Bearer token-1", headers[0].Get("Authorization"))
	require.Equal(t, "Bearer token-2", headers[1].Get("Authorization"))
}

// What middleware adds to one field shows in no other.
func TestMiddlewareAddsToOneFieldAlone(t *testing.T) {
	seen := 0
	a := &api{handle: answers(status(201, ok(pendingSession)))}
	c := a.client(t, staticToken(), mid.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
		return tripper(func(r *http.Request) (*http.Response, error) {
			before := r.Header.Clone()
			for key := range before {
				r.Header.Add(key, "more")
			}
			for key, values := range before {
				require.Equal(t, append(values, "more"), r.Header[key], key)
				seen++
			}
			return next.RoundTrip(r)
		})
	}))
	_, err := c.Authentication.CreateSession(t.Context(), mid.CreateAuthSessionParams{Intent: mid.IntentLogin}, mid.WithHeader("X-Mine", "yes"))
	require.NoError(t, err)
	require.Equal(t, 6, seen)
}

// A panic of middleware reaches the caller and leaves nothing in flight.
func TestPanicOfMiddlewareLeavesNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reset := time.Now().Add(time.Hour)
		broken := false
		a := &api{handle: func(*http.Request) (*http.Response, error) {
			if broken {
				panic("middleware")
			}
			return answer(200, ok(pendingSession), limits(100, 6, reset)...), nil
		}}
		c := a.client(t, staticToken())
		require.NoError(t, look(t.Context(), c))
		broken = true
		for range 5 {
			require.PanicsWithValue(t, "middleware", func() { _ = look(t.Context(), c) })
		}
		require.PanicsWithValue(t, "middleware", func() {
			_, _ = c.Signing.UploadDocument(t.Context(), mid.UploadSigningDocumentParams{File: mid.FileFromBytes("a.pdf", []byte("%PDF"))})
		})
		broken = false
		time.Sleep(2 * time.Hour)
		start := time.Now()
		for range 6 {
			require.NoError(t, look(t.Context(), c))
		}
		require.Zero(t, time.Since(start))
	})
}

// What an attempt has left behind keeps its own number, whatever the call does next.
func TestMiddlewareOfAnAttemptThatWasLeftBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var late, second mid.Operation
		resent := make(chan struct{})
		a := &api{handle: answers(status(201, ok(`{"id":"doc_1"}`)))}
		c := a.client(t, staticToken(), mid.WithAttemptTimeout(time.Second), mid.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
			return tripper(func(r *http.Request) (*http.Response, error) {
				op, _ := mid.OperationFrom(r.Context())
				if op.Attempt == 1 {
					<-resent // without a look at its context, as a file's Read
					late, _ = mid.OperationFrom(r.Context())
					return nil, r.Context().Err()
				}
				second = op
				close(resent)
				return next.RoundTrip(r)
			})
		}))
		_, err := c.Signing.UploadDocument(t.Context(), mid.UploadSigningDocumentParams{File: mid.FileFromBytes("a.pdf", make([]byte, 1<<20))})
		require.NoError(t, err)
		synctest.Wait()
		require.Equal(t, 1, late.Attempt)
		require.Equal(t, 2, second.Attempt)
	})
}
