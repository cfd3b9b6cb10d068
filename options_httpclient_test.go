package mid_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// closing counts how often somebody closes idle connections.
type closing struct {
	http.RoundTripper
	closed atomic.Int32
}

func (c *closing) CloseIdleConnections() { c.closed.Add(1) }

// One caller's failure or cancellation never closes the idle connections of
// the others.
func TestFailuresLeaveIdleConnectionsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, handle := range map[string]func(*http.Request) (*http.Response, error){
			"failure": answers(failed(errors.New("reset"))),
			"server":  answers(status(500, "x")),
			"hang":    hang,
		} {
			a := &api{handle: handle}
			transport := &closing{RoundTripper: a}
			c, err := mid.NewClient(testID, testSecret, mid.WithHTTPClient(&http.Client{Transport: transport}))
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			require.Error(t, look(ctx, c))
			cancel()
			require.Zero(t, transport.closed.Load(), name)
		}
	})
}

// The user's http.Client is honoured, its Timeout included, and never changed.
func TestTheUsersClientIsHonoured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &api{handle: hang}
		own := &http.Client{Transport: a, Timeout: 2 * time.Second}
		before := *own
		c, err := mid.NewClient(testID, testSecret, mid.WithHTTPClient(own), mid.WithRetry(mid.RetryPolicy{}))
		require.NoError(t, err)
		start := time.Now()
		require.ErrorIs(t, look(t.Context(), c), context.DeadlineExceeded)
		require.Equal(t, 2*time.Second, time.Since(start))
		require.Equal(t, before.Timeout, own.Timeout)
		require.Nil(t, own.CheckRedirect)
		require.Same(t, a, own.Transport)
	})
}

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
