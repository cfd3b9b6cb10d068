package midtest

import (
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Request is a request that the server has answered, or dropped for a
// [Fault].
type Request struct {
	Method string
	// Path is relative to /v1, like /auth/token. It has no query.
	Path   string
	Query  url.Values
	Header http.Header
	// Body holds at most the first 64 KiB. Of an old request it is nil, if
	// the log got too large: see [Server.Requests].
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
	fmt.Fprintf(f, "midtest.Request{%s %s: %s}", r.Method, path.EscapedPath(), statusText(r.Status))
}

// requestLog is the witness of what clients sent.
type requestLog struct {
	mu       sync.Mutex
	requests journal[Request]
	tokens   int
}

func newRequestLog() requestLog {
	return requestLog{requests: journal[Request]{strip: func(r *Request) { r.Body = nil }}}
}

// Requests returns the requests so far, in the order in which they were
// answered: all of /v1, token requests and faulted ones included. A request is
// among them before its answer is sent. Do not change what their fields refer
// to.
//
// The log holds the last 10,000 requests, in no more than 32 MiB. Beyond that,
// the oldest requests lose their Body, and are forgotten if that is not enough.
func (s *requestLog) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests.all()
}

// TokenRequests counts the requests to the token endpoint, however they ended.
func (s *requestLog) TokenRequests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tokens
}

func (s *requestLog) countToken() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens++
}

func (s *requestLog) log(r Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests.add(r, len(r.Path)+weight(r.Query)+weight(r.Header), cap(r.Body))
}

// weight is about how many bytes a map of texts takes.
func weight(m map[string][]string) (bytes int) {
	const perKey, perValue = 64, 16
	for key, values := range m {
		bytes += perKey + len(key)
		for _, v := range values {
			bytes += perValue + len(v)
		}
	}
	return bytes
}
