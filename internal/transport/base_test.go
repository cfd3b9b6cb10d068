package transport

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A server that shuts down in order says which requests it has not processed.
// Package net/http sends them again, a file too, even without retries.
func TestOrderlyShutdownLosesNoRequest(t *testing.T) {
	t.Parallel()
	large := bytes.Repeat([]byte("x"), 20<<10)
	for name, body := range map[string]Body{"none": nil, "small": bytesOf("{}"), "file": fileOf(large)} {
		var bodies sync.Map
		address, tr := h2Server(t, func(c *h2Conn, f h2Frame) {
			if f.kind == h2Data {
				key := [2]uint32{uint32(c.number), f.stream}
				before, _ := bodies.LoadOrStore(key, 0)
				bodies.Store(key, before.(int)+len(f.payload))
			}
			switch ended := (f.kind == h2Headers || f.kind == h2Data) && f.flags&h2EndStream != 0; {
			case ended && c.number == 1 && f.stream > 1:
				c.goaway(1)
			case ended:
				c.answer(f.stream)
			}
		})
		r := pipe(NewBase(&http.Client{}, tr), time.Minute, 0)
		for range 2 {
			call := callTo(t.Context(), t, http.MethodPost, address, body)
			call.NoRetry = true
			resp, err := r.Do(call)
			require.NoError(t, err, name)
			require.Equal(t, 200, resp.StatusCode)
			require.Equal(t, 1, call.Attempts)
		}
		if body != nil {
			sent, _ := bodies.Load([2]uint32{2, 1})
			require.EqualValues(t, body.ContentLength(), sent, name)
		}
	}
}

// What may have been processed is not sent again by net/http: not over HTTP/1,
// though the key would let it, nor when middleware has changed the body.
func TestNothingIsSentAgainUnseen(t *testing.T) {
	t.Parallel()
	var served atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if served.Add(1)%2 == 0 {
			panic(http.ErrAbortHandler)
		}
	}))
	defer server.Close()
	for _, wrap := range []func(http.RoundTripper) http.RoundTripper{
		func(next http.RoundTripper) http.RoundTripper { return next },
		func(next http.RoundTripper) http.RoundTripper { return tripper(next.RoundTrip) },
	} {
		for _, body := range []Body{nil, bytesOf("{}"), fileOf(make([]byte, 100<<10))} {
			for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
				if body == nil && method == http.MethodPost {
					continue // a transport that wraps net/http's keeps the key
				}
				tr := Default(time.Minute)
				r := pipe(NewBase(&http.Client{}, wrap(tr)), time.Minute, 0)
				before := served.Load()
				_, err := r.Do(callTo(t.Context(), t, method, server.URL, body))
				require.NoError(t, err)
				_, err = r.Do(callTo(t.Context(), t, method, server.URL, body))
				require.Error(t, err)
				require.EqualValues(t, 2, served.Load()-before, "%s %T", method, body)
				tr.CloseIdleConnections()
			}
		}
	}
}

// A body that middleware has put in place of the call's is not replaced by it
// when net/http sends a request again.
func TestBodyOfMiddlewareIsNotReplaced(t *testing.T) {
	t.Parallel()
	var got func() (io.ReadCloser, error)
	base := NewBase(&http.Client{}, tripper(func(r *http.Request) (*http.Response, error) {
		got = r.GetBody
		return reply(200, http.NoBody), nil
	}))
	for _, changed := range []bool{true, false} {
		base.http1.Store(false)
		wire := tripper(func(r *http.Request) (*http.Response, error) {
			if changed {
				out := *r
				out.Body = io.NopCloser(bytes.NewReader(nil))
				r = &out
			}
			return base.RoundTrip(r)
		})
		_, err := pipe(wire, time.Minute, 0).Do(callTo(t.Context(), t, http.MethodPost, "https://api.example.com/v1/x", bytesOf("{}")))
		require.NoError(t, err)
		require.Equal(t, !changed, got != nil)
	}
	_, err := got()
	require.ErrorIs(t, err, errLost, "nothing tells that the connection speaks HTTP/2")
}

// The query of a request never shows in the error of a user's client that has a
// Timeout.
func TestQueryStaysOutOfTheErrorsOfAClientWithATimeout(t *testing.T) {
	t.Parallel()
	lost := errors.New("lost")
	base := NewBase(&http.Client{Timeout: time.Minute}, tripper(func(*http.Request) (*http.Response, error) { return nil, lost }))
	_, err := pipe(base, time.Minute, 0).Do(callTo(t.Context(), t, http.MethodGet, "https://api.example.com/v1/x?phone=%2B14155550123", nil))
	require.ErrorIs(t, err, lost)
	require.NotContains(t, err.Error(), "14155550123")
	_, isURL := errors.AsType[*url.Error](err)
	require.False(t, isURL)
}

// refusingProxy answers every CONNECT with a status.
func refusingProxy(t *testing.T, status int) (*url.URL, *atomic.Int32) {
	t.Helper()
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(status)
	}))
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	require.NoError(t, err)
	u.User = url.UserPassword("shop", "proxy-password")
	return u, &asked
}

// A proxy that refuses to connect is named, without its password, and not asked
// again unless it is only that it could not reach the server.
func TestProxyThatRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		status, asked int
		own           bool
		text          string
	}{
		{407, 1, false, " refuses to connect to MID: 407 Proxy Authentication Required"},
		{403, 1, false, " refuses to connect to MID: 403 Forbidden"},
		{502, 3, false, " refuses to connect to MID: 502 Bad Gateway"},
		{407, 1, true, " refuses to connect to MID"},
	} {
		proxy, asked := refusingProxy(t, tt.status)
		tr := Default(time.Minute)
		if tt.own {
			tr = &http.Transport{}
		}
		tr.Proxy = http.ProxyURL(proxy)
		_, err := pipe(NewBase(&http.Client{}, tr), time.Minute, 2).Do(callTo(t.Context(), t, http.MethodGet, "https://api.example.com/v1/x", nil))
		require.EqualError(t, err, "the proxy "+proxy.Host+tt.text)
		require.EqualValues(t, tt.asked, asked.Load(), tt.status)
	}
}

// A proxy that can't be reached is a network failure like another.
func TestProxyThatIsDownIsTriedAgain(t *testing.T) {
	t.Parallel()
	proxy, _ := refusingProxy(t, 200)
	proxy.Host = "127.0.0.1:1"
	tr := &http.Transport{Proxy: http.ProxyURL(proxy)}
	call := callTo(t.Context(), t, http.MethodGet, "https://api.example.com/v1/x", nil)
	_, err := pipe(NewBase(&http.Client{}, tr), time.Minute, 2).Do(call)
	require.ErrorContains(t, err, "proxyconnect")
	require.Equal(t, 3, call.Attempts)
}
