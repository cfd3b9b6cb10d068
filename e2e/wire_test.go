package e2e_test

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

// wire is a reverse proxy before a fake server that validates what passes.
type wire struct {
	contract *contract
	mid      *midtest.Server
	upstream *url.URL
	server   *httptest.Server
	next     *http.Transport
	tamper   func(*exchange) // changes answers; nil: none

	mu   sync.Mutex
	seen []*exchange
}

// newWire starts a fake server with the proxy before it. When the test ends,
// nothing against the contract may be left in it, see violations.
func newWire(t *testing.T, opts ...midtest.Option) *wire {
	t.Helper()
	c, err := loadContract()
	require.NoError(t, err)
	w := &wire{contract: c, mid: newMID(t, opts...), next: &http.Transport{DisableCompression: true}}
	w.upstream, err = url.Parse(w.mid.URL)
	require.NoError(t, err)
	w.server = httptest.NewServer(w)
	t.Cleanup(func() {
		w.server.Close()
		w.next.CloseIdleConnections()
		for _, x := range w.violations() {
			assert.NoError(t, x.badReq, "the request of %s %s", x.method, x.url.Path)
			assert.NoError(t, x.badAns, "the answer %d to %s %s: %s", x.status, x.method, x.url.Path, x.answer)
		}
	})
	return w
}

// client returns a client that reaches the server through the proxy.
func (w *wire) client(opts ...mid.Option) *mid.Client {
	return clientAt(w.mid, w.server.URL+"/v1", append([]mid.Option{quickRetries(0)}, opts...)...)
}

// ServeHTTP passes a request on. The exchange is recorded before it is
// answered, so that its receiver finds it.
func (w *wire) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	x := &exchange{method: r.Method, url: r.URL, header: r.Header.Clone()}
	var err error
	if x.body, err = io.ReadAll(r.Body); err == nil {
		err = w.pass(r, x)
	}
	if err != nil {
		panic(http.ErrAbortHandler) // the connection is dropped here as it was there
	}
	if w.tamper != nil {
		w.tamper(x)
	}
	x.badReq, x.badAns = w.contract.request(x), w.contract.response(x)
	w.mu.Lock()
	w.seen = append(w.seen, x)
	w.mu.Unlock()
	maps.Copy(rw.Header(), x.answerHeader)
	rw.WriteHeader(x.status)
	_, _ = rw.Write(x.answer) // it fails only if the client is gone
}

func (w *wire) pass(r *http.Request, x *exchange) error {
	out := r.Clone(r.Context())
	out.URL.Scheme, out.URL.Host, out.RequestURI = w.upstream.Scheme, w.upstream.Host, ""
	out.Body = io.NopCloser(bytes.NewReader(x.body))
	if len(x.body) == 0 {
		out.Body = http.NoBody
	}
	res, err := w.next.RoundTrip(out)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	x.status, x.answerHeader = res.StatusCode, res.Header
	x.answer, err = io.ReadAll(res.Body)
	return err
}

// violations takes the exchanges that the contract has something against.
func (w *wire) violations() []*exchange {
	w.mu.Lock()
	defer w.mu.Unlock()
	var bad []*exchange
	w.seen = slices.DeleteFunc(w.seen, func(x *exchange) bool {
		if x.badReq == nil && x.badAns == nil {
			return false
		}
		bad = append(bad, x)
		return true
	})
	return bad
}

// last returns the latest exchange that was for an operation.
func (w *wire) last(t *testing.T, operation string) *exchange {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, x := range slices.Backward(w.seen) {
		if w.contract.operation(x) == operation {
			return x
		}
	}
	require.FailNow(t, "no exchange", "%s was not called", operation)
	return nil
}

// tally counts the exchanges by operation and status.
func (w *wire) tally() map[string]map[int]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	counts := map[string]map[int]int{}
	for _, x := range w.seen {
		name := w.contract.operation(x)
		if counts[name] == nil {
			counts[name] = map[int]int{}
		}
		counts[name][x.status]++
	}
	return counts
}

// clone copies what a planted violation changes.
func (x *exchange) clone() *exchange {
	c := *x
	c.url = &url.URL{Path: x.url.Path, RawPath: x.url.RawPath, RawQuery: x.url.RawQuery}
	c.header, c.answerHeader = x.header.Clone(), x.answerHeader.Clone()
	c.body, c.answer = bytes.Clone(x.body), bytes.Clone(x.answer)
	return &c
}

// swap replaces a text that must be there exactly once.
func swap(t *testing.T, body []byte, before, after string) []byte {
	t.Helper()
	require.Equal(t, 1, strings.Count(string(body), before), "%q in %s", before, body)
	return []byte(strings.Replace(string(body), before, after, 1))
}
