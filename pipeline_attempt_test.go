package mid_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// The user's http.Client is honoured without a Timeout too: its Jar keeps the
// cookies.
func TestTheUsersCookieJarIsHonoured(t *testing.T) {
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	a := &api{handle: answers(status(200, ok(pendingSession), "Set-Cookie", "node=7"), status(200, ok(pendingSession)))}
	c, err := mid.NewClient(testID, testSecret, staticToken(), mid.WithHTTPClient(&http.Client{Transport: a, Jar: jar}))
	require.NoError(t, err)
	require.NoError(t, look(t.Context(), c))
	require.NoError(t, look(t.Context(), c))
	calls := a.sent()
	require.Len(t, calls, 2)
	require.Empty(t, calls[0].Header.Get("Cookie"))
	require.Equal(t, "node=7", calls[1].Header.Get("Cookie"))
}

// What keeps net/http from sending a request without a body twice leaves no
// trace on the wire: a first request and those on a kept connection look the
// same.
func TestRequestsWithoutABodyLookTheSameOnAKeptConnection(t *testing.T) {
	lengths := make(chan []string, 2)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		lengths <- append(slices.Clone(r.Header["Content-Length"]), r.TransferEncoding...)
		_, _ = io.WriteString(w, ok("{}"))
	}))
	defer srv.Close()
	for method, want := range map[string][]string{"GET": nil, "DELETE": nil, "POST": {"0"}, "PUT": {"0"}, "PATCH": {"0"}} {
		c, err := mid.NewClient(testID, testSecret, staticToken(), mid.WithBaseURL(srv.URL+"/v1"))
		require.NoError(t, err)
		for range 2 {
			require.NoError(t, c.Call(t.Context(), method, "/x", nil, nil))
			require.Equal(t, want, <-lengths, method)
		}
	}
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

// A large JSON body lives as long as its bytes move, like an upload.
func TestProgressOfALargeJSONBodyKeepsAnAttemptAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &api{handle: session}
		c := a.client(t, staticToken(), mid.WithAttemptTimeout(10*time.Second), mid.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
			return tripper(func(r *http.Request) (*http.Response, error) {
				var body bytes.Buffer
				for {
					time.Sleep(9 * time.Second)
					if err := r.Context().Err(); err != nil {
						return nil, err
					}
					if _, err := io.CopyN(&body, r.Body, 16<<10); errors.Is(err, io.EOF) {
						break
					}
				}
				r.Body = io.NopCloser(&body)
				return next.RoundTrip(r)
			})
		}))
		start := time.Now()
		require.NoError(t, c.Call(t.Context(), "PUT", "/x", strings.Repeat("x", 100<<10), nil))
		require.Greater(t, time.Since(start), time.Minute)
		require.Len(t, a.sent(), 1)
	})
}
