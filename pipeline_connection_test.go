package mid

import (
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go/internal/transport"
)

// relay passes on what comes, until it swallows it.
type relay struct {
	net.Listener
	to     string
	dialed atomic.Int32
	all    sync.WaitGroup

	mu    sync.Mutex
	conns []net.Conn
	dead  []*atomic.Bool
}

func newRelay(t *testing.T, to string) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	r := &relay{Listener: l, to: to}
	r.all.Go(r.accept)
	t.Cleanup(func() {
		_ = l.Close()
		r.mu.Lock()
		for _, c := range r.conns {
			_ = c.Close()
		}
		r.mu.Unlock()
		r.all.Wait()
	})
	return r
}

func (r *relay) accept() {
	for {
		in, err := r.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", r.to)
		if err != nil {
			_ = in.Close()
			return
		}
		r.dialed.Add(1)
		dead := new(atomic.Bool)
		r.mu.Lock()
		r.conns, r.dead = append(r.conns, in, out), append(r.dead, dead)
		r.mu.Unlock()
		r.all.Go(func() { pump(out, in, dead) })
		r.all.Go(func() { pump(in, out, dead) })
	}
}

func pump(to, from net.Conn, dead *atomic.Bool) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			_ = to.Close()
			return
		}
		if !dead.Load() {
			_, _ = to.Write(buffer[:n])
		}
	}
}

// swallow makes the connections of now dead, without a word to their ends.
func (r *relay) swallow() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, d := range r.dead {
		d.Store(true)
	}
}

func serveSession(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, opToken.path) {
		_, _ = io.WriteString(w, `{"access_token":"token-1"}`)
		return
	}
	_, _ = io.WriteString(w, `{"success":true,"data":{"id":"sess_1","status":"pending"}}`)
}

// A kept connection that has died without a word is left for another one
// within a call, over HTTP/2 too, where all calls share it.
func TestConnectionThatDiedSilently(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		server := httptest.NewUnstartedServer(http.HandlerFunc(serveSession))
		server.EnableHTTP2 = http2
		server.StartTLS()
		t.Cleanup(server.Close)
		r := newRelay(t, server.Listener.Addr().String())

		const timeout = 300 * time.Millisecond
		transport := transport.Default(timeout)
		transport.TLSClientConfig.RootCAs = x509.NewCertPool()
		transport.TLSClientConfig.RootCAs.AddCert(server.Certificate())
		t.Cleanup(transport.CloseIdleConnections)
		c, err := NewClient("id", "secret", WithBaseURL("https://"+r.Addr().String()+"/v1"),
			WithHTTPClient(&http.Client{Transport: transport}), WithAttemptTimeout(timeout),
			WithRetry(RetryPolicy{MaxRetries: 3, MinWait: time.Millisecond, MaxWait: time.Millisecond}))
		require.NoError(t, err)
		_, err = c.Authentication.GetSession(t.Context(), "sess_1")
		require.NoError(t, err)
		before := r.dialed.Load()
		r.swallow()
		_, err = c.Authentication.GetSession(t.Context(), "sess_1")
		require.NoError(t, err, "HTTP/2: %v", http2)
		require.Greater(t, r.dialed.Load(), before)
	}
}

// Without retries a request is sent once, even on a kept connection that turns
// out dead, where net/http would send it again; and one without a body says so
// where servers insist.
func TestRequestsWithoutABodyAreSentOnce(t *testing.T) {
	for method, length := range map[string]string{"GET": "", "DELETE": "", "POST": "0", "PUT": "0", "PATCH": "0"} {
		var served atomic.Int32
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.URL.Path, opToken.path) {
				if got := r.Header.Get("Content-Length"); got != length {
					t.Errorf("%s: Content-Length %q", method, got)
				}
				if keyed := r.Header.Get("Idempotency-Key") != ""; keyed != (method == "POST" || method == "PATCH") {
					t.Errorf("%s: with a key: %v", method, keyed)
				}
				if served.Add(1) == 2 {
					panic(http.ErrAbortHandler)
				}
			}
			serveSession(w, r)
		}))
		c, err := NewClient("id", "secret", WithBaseURL(server.URL+"/v1"), WithRetry(RetryPolicy{}))
		require.NoError(t, err)
		require.NoError(t, c.Call(t.Context(), method, "/x", nil, nil))
		require.Error(t, c.Call(t.Context(), method, "/x", nil, nil), method)
		require.EqualValues(t, 2, served.Load(), method)
		server.Close()
	}
}

type tripperFunc func(*http.Request) (*http.Response, error)

func (f tripperFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// An answer whose Location makes no sense is still the answer, with a user's
// own client, too.
func TestLocationThatMakesNoSense(t *testing.T) {
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	for _, client := range []*http.Client{{}, {Timeout: time.Minute}, {Jar: jar}} {
		sent := 0
		client.Transport = tripperFunc(func(r *http.Request) (*http.Response, error) {
			w := httptest.NewRecorder()
			if strings.HasSuffix(r.URL.Path, opToken.path) {
				serveSession(w, r)
				return w.Result(), nil
			}
			sent++
			w.Header().Set("Location", "http://[bad%zz/")
			w.WriteHeader(http.StatusFound)
			return w.Result(), nil
		})
		c, err := NewClient("id", "secret", WithHTTPClient(client))
		require.NoError(t, err)
		_, err = c.Authentication.GetSession(t.Context(), "sess_1")
		e, ok := errors.AsType[*APIError](err)
		require.True(t, ok, "%v", err)
		require.Equal(t, http.StatusFound, e.StatusCode)
		require.Equal(t, 1, sent)
	}
}
