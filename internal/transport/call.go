// Package transport is the pipeline that an API call passes on its way to the
// wire, one file a stage:
//
//	retry → auth → limit → bearer → log → attempt → middleware → base
//
// Every wire send, first try, retry or replay, passes all stages below retry.
package transport

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"sync/atomic"
	"time"
)

// Call is one API call across its attempts. It is the context of its requests,
// so that every stage finds it without a further allocation.
type Call struct {
	context.Context
	Method  string
	URL     url.URL
	Header  []Field // what every attempt's header is made of
	Body    Body    // nil without one
	NoRetry bool    // neither retried nor, after a 401, replayed

	Operation string // the operation's name
	Template  string // its path in the contract
	Params    any    // what the caller gave, for the errors of the call

	// Attempts counts the wire sends.
	Attempts int
	// Last is the last answer that was retried, so that it is not lost when
	// no further answer comes.
	Last *http.Response

	// Left is when the latest request left for the wire.
	Left    time.Time
	queued  time.Duration // the next request's wait for its turn
	bearing bearing
	ahead   bool      // goes before others in the limiter's queue
	placed  time.Time // when it got the place that it has
	turn    int       // the order of the calls that had a place
	place   int       // among the [Places] on offer
	try     try

	present *send // what the present attempt uses
	first   send  // room for the first

	fields [6]Field // room for Header
	bytes  Bytes    // room for Body
}

// send is one attempt: what it uses, and the context of its request. It is in one
// piece to cost one allocation, and is part of Call for the first attempt. Each
// attempt has its own, because what an earlier one has left behind may still use it.
// For the same reason, the stages below [Attempt] find it in the context of their
// request, and not in the call.
type send struct {
	context.Context // the call
	call            *Call
	attempt         int // counted from 1
	queued          time.Duration

	url    url.URL
	values [8]string // of the header
	watch  watch
	answer answer

	copied  atomic.Bool // request is in use
	request http.Request
}

// Begin makes the zero Call one without a header and a body.
func (c *Call) Begin(ctx context.Context, method string) {
	c.Context, c.Method = ctx, method
	c.Header = c.fields[:0]
}

// SetBytes makes data the call's body.
func (c *Call) SetBytes(data []byte) {
	c.bytes.data = data
	c.Body = &c.bytes
}

// Field is one header field; Key is in canonical form.
type Field struct{ Key, Value string }

// Body is a request body that can be sent more than once.
type Body interface {
	// Open returns the reader of the next attempt.
	Open() (io.ReadCloser, error)
	// Rewind prepares for another attempt; its error says that there can't be
	// one.
	Rewind(ctx context.Context) error
	// ContentLength is the length in bytes, -1 if it is unknown.
	ContentLength() int64
	// Err is the body's own failure, which another attempt would not mend.
	Err() error
}

// Format writes a fixed text, whatever the verb: the call is the context that
// the application's token source, cache and limiter are given, and holds tokens.
func (*Call) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "mid.call") }

type callKey struct{}

// Value makes a stage find the call in the context of its request.
func (c *Call) Value(key any) any {
	if key == (callKey{}) {
		return c
	}
	return c.Context.Value(key)
}

// Origin says what a context belongs to.
type Origin struct {
	Operation, Template string
	Attempt             int           // the wire sends up to now
	Queued              time.Duration // how long this one waited for its turn; zero outside of one
}

// OriginOf returns what a context belongs to. ok is false for one that is not of
// the pipeline.
func OriginOf(ctx context.Context) (_ Origin, ok bool) {
	if s := sendFrom(ctx); s != nil {
		return Origin{s.call.Operation, s.call.Template, s.attempt, s.queued}, true
	}
	if call, ok := ctx.Value(callKey{}).(*Call); ok {
		return Origin{Operation: call.Operation, Template: call.Template, Attempt: call.Attempts}, true
	}
	return Origin{}, false
}

type sendKey struct{}

// Value makes a stage find the attempt in the context of its request.
func (s *send) Value(key any) any {
	if key == (sendKey{}) {
		return s
	}
	return s.Context.Value(key)
}

// sendFrom returns the attempt that a context belongs to, or nil.
func sendFrom(ctx context.Context) *send {
	s, _ := ctx.Value(sendKey{}).(*send)
	return s
}

func callOf(req *http.Request) *Call { return req.Context().Value(callKey{}).(*Call) }

// Tokens returns the access tokens that the call has sent.
func (c *Call) Tokens() []string { return slices.Clip(c.bearing.used) }

// begin returns the context of the next attempt. The attempt's end must cancel
// it: the answer has been read by then.
func (c *Call) begin() (context.Context, context.CancelCauseFunc) {
	c.present = &c.first
	if c.Attempts > 0 {
		c.present = new(send)
	}
	s := c.present
	s.Context, s.call, s.attempt, s.queued = c, c, c.Attempts+1, c.queued
	// The trace is the parent, so that the request is copied once, not twice.
	ctx, cancel := context.WithCancelCause(httptrace.WithClientTrace(s, s.watch.hooks()))
	c.present.watch.cancel = cancel
	return ctx, cancel
}

// copyOf returns a copy of a request, for a stage that must not change its own. The
// first of an attempt needs no allocation. There are more if middleware sends a
// request several times. s may be nil.
func (s *send) copyOf(req *http.Request) *http.Request {
	var out *http.Request
	if s == nil || s.copied.Swap(true) {
		out = new(http.Request)
	} else {
		out = &s.request
	}
	*out = *req
	return out
}

// attempt makes the request of one attempt out of req, which it may change. The
// attempt has its own URL and header, because an earlier attempt may still be
// writing its header, and middleware may have changed either.
func (c *Call) attempt(req *http.Request, authorization string) (*http.Request, error) {
	c.present.url = c.URL
	req.URL, req.Host = &c.present.url, c.URL.Host
	n := len(c.Header) + 1
	values := c.present.values[:]
	if n > len(values) {
		values = make([]string, n)
	}
	req.Header = make(http.Header, n)
	for i, f := range c.Header {
		values[i] = f.Value
		req.Header[f.Key] = values[i : i+1 : i+1]
	}
	if authorization != "" {
		values[n-1] = authorization
		req.Header["Authorization"] = values[n-1 : n : n]
	}
	if c.Body == nil {
		return req, nil
	}
	body, err := c.Body.Open()
	if err != nil {
		return nil, &Permanent{err}
	}
	req.Body, req.ContentLength = body, c.Body.ContentLength()
	return req, nil
}

// rewindTimeout ends the wait for a file that hangs: the call then ends with
// what it has.
const rewindTimeout = 30 * time.Second

// rewind prepares the body for another attempt.
func (c *Call) rewind() error {
	if c.Body == nil {
		return nil
	}
	if err := c.Body.Err(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c, rewindTimeout)
	defer cancel()
	return c.Body.Rewind(ctx)
}
