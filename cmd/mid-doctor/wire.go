package main

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/mobid-io/mid-go"
)

// maxSeen bounds what is looked at of an answer; those of the contract are far
// smaller.
const maxSeen = 1 << 20

// exchange is an answer as it came over the wire. It has secrets and personal
// data, so only names and kinds of it are shown.
type exchange struct {
	operation string
	header    http.Header
	body      json.RawMessage
	tls       *tls.ConnectionState
	proto     string
	at        time.Time // the middle of the wait for it
}

// recorder is the middleware that keeps the last answer of each operation.
type recorder struct {
	mu   sync.Mutex
	seen map[string]exchange
	last exchange
}

// operation returns the last answer of an operation. ok is false if none came.
func (r *recorder) operation(name string) (e exchange, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok = r.seen[name]
	return e, ok
}

// newest returns the last answer of all.
func (r *recorder) newest() exchange {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last
}

func (r *recorder) middleware(next http.RoundTripper) http.RoundTripper {
	return tripper(func(req *http.Request) (*http.Response, error) {
		left := time.Now()
		resp, err := next.RoundTrip(req)
		if err != nil {
			return resp, err
		}
		e := exchange{header: resp.Header.Clone(), tls: resp.TLS, proto: resp.Proto, at: left.Add(time.Since(left) / 2)}
		if op, ok := mid.OperationFrom(req.Context()); ok {
			e.operation = op.Name
		}
		body, err := io.ReadAll(io.LimitReader(resp.Body, maxSeen))
		resp.Body = rest{io.MultiReader(bytes.NewReader(body), failing{err}, resp.Body), resp.Body}
		e.body = bytes.TrimSpace(body)
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.seen == nil {
			r.seen = map[string]exchange{}
		}
		r.seen[e.operation], r.last = e, e
		return resp, nil
	})
}

type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// rest is a body of which a part has been read.
type rest struct {
	io.Reader
	io.Closer
}

// failing passes on the error that reading ended with.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return 0, io.EOF
}
