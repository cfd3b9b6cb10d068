package midtest

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"
)

const (
	maxLogged = 10_000
	keptBody  = 64 << 10
	maxUpload = 2 << 30
)

// Request is a request that the server has answered, or dropped for a
// [Fault].
type Request struct {
	Method string
	// Path is relative to /v1, like /auth/token. It has no query.
	Path   string
	Query  url.Values
	Header http.Header
	// Body holds the first 64 KiB at most.
	Body []byte
	// BodySize is the length of the whole body in bytes.
	BodySize int64
	// Status is the answer's, or zero if the connection was dropped.
	Status int
	// Time is when the request arrived.
	Time time.Time
}

// Format writes the method, the path and the status on one line, whatever the
// verb, and never the query, the header or the body.
func (r Request) Format(f fmt.State, _ rune) {
	path := url.URL{Path: r.Path} // escaped, so that it breaks no line
	fmt.Fprintf(f, "midtest.Request{%s %s: %s}", r.Method, path.EscapedPath(), outcome(r.Status))
}

// Requests returns the requests so far, in the order in which they were
// answered: all of /v1, token requests and faulted ones included, but no more
// than the last 10,000. A request is among them before its answer is sent. Do
// not change what their fields refer to.
func (s *Server) Requests() []Request { return s.log.all() }

// TokenRequests counts the requests to the token endpoint, however they ended.
func (s *Server) TokenRequests() int {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return s.log.tokens
}

type requestLog struct {
	mu       sync.Mutex
	requests []Request
	tokens   int
}

func (l *requestLog) arrived(c *call) {
	if c.route == nil || c.route.template != tokenPath {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tokens++
}

func (l *requestLog) add(c *call, status int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests = appendBounded(l.requests, Request{
		Method:   c.r.Method,
		Path:     c.path,
		Query:    c.r.URL.Query(),
		Header:   c.r.Header,
		Body:     c.body.kept,
		BodySize: c.body.size,
		Status:   status,
		Time:     c.at,
	})
}

func (l *requestLog) all() []Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.requests)
}

// appendBounded forgets the oldest, so that a server that runs for weeks does
// not grow by its logs.
func appendBounded[T any](log []T, v T) []T {
	if len(log) == maxLogged {
		log = log[1:]
	}
	return append(log, v)
}

// body is a request's body: measured, and kept up to a bound.
type body struct {
	src      io.Reader
	declared int64 // -1 if unknown
	kept     []byte
	size     int64
}

func newBody(w http.ResponseWriter, r *http.Request) *body {
	return &body{src: http.MaxBytesReader(w, r.Body, maxUpload), declared: r.ContentLength}
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.src.Read(p)
	b.size += int64(n)
	if room := keptBody - len(b.kept); room > 0 {
		b.kept = append(b.kept, p[:min(n, room)]...)
	}
	return n, err
}

// tooLarge reports whether not even trying to read makes sense.
func (b *body) tooLarge() bool { return b.declared > maxUpload }

// drain reads the rest, so that a client that is refused early can finish
// sending and reads the answer in place of a broken connection.
func (b *body) drain() {
	if !b.tooLarge() {
		_, _ = io.Copy(io.Discard, b)
	}
}
