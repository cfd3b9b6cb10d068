package transport

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"sync/atomic"
)

// Base is the last stage: the user's http.Client, or what is left of it, as a
// round tripper. It has no CloseIdleConnections method on purpose: the failure
// of one call must not close the connections of the others.
type Base struct {
	next  http.RoundTripper
	plain bool // next is net/http's own
	http1 atomic.Bool
}

// NewBase makes the base of a client, which it does not change, with transport
// in place of its Transport. Redirects are not followed: they would carry the
// token to other hosts.
func NewBase(client *http.Client, transport http.RoundTripper) *Base {
	_, plain := transport.(*http.Transport)
	next := http.RoundTripper(locator{transport})
	if client.Timeout != 0 || client.Jar != nil {
		own := *client
		own.Transport = next
		own.CheckRedirect = NoRedirects
		next = clientTripper{&own}
	}
	return &Base{next: next, plain: plain}
}

// NoRedirects is a CheckRedirect that has a redirect answered as it came.
func NoRedirects(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// RoundTrip sends the request once. On a kept HTTP/1 connection that turns out
// dead, net/http would send it again by itself, unseen by the limiter and in
// spite of MaxRetries, unless it has a body that can't be rewound. (With HTTP/2
// it only does so when the server told that it had not processed the request.)
func (b *Base) RoundTrip(req *http.Request) (*http.Response, error) {
	// A connection that was kept has had an answer, which told its protocol.
	if req.Body == nil && b.http1.Load() {
		req = b.once(req)
	}
	resp, err := b.next.RoundTrip(req)
	if err == nil && resp != nil && b.http1.Load() != (resp.ProtoMajor == 1) {
		b.http1.Store(resp.ProtoMajor == 1)
	}
	return resp, err
}

// once makes a request without a body one that net/http does not repeat. It is
// given a body that is empty and, by the explicit identity encoding, leaves no
// trace on the wire. A POST, PUT or PATCH would lose its Content-Length by that,
// which servers may insist on. Of them net/http repeats those with an
// Idempotency-Key, which it knows in its canonical spelling alone. A transport
// that wraps net/http's is given the canonical one, as it may look for it.
func (b *Base) once(req *http.Request) *http.Request {
	once := *req
	switch req.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch:
		if key := req.Header["Idempotency-Key"]; b.plain && key != nil {
			once.Header = maps.Clone(req.Header)
			delete(once.Header, "Idempotency-Key")
			once.Header["idempotency-key"] = key
		}
	default:
		once.Body, once.TransferEncoding = emptyBody{}, identity
	}
	return &once
}

// locator takes a Location out that can't be parsed. An http.Client, the
// user's or the retry stage's, would give the answer up for it.
type locator struct{ next http.RoundTripper }

func (l locator) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := l.next.RoundTrip(req)
	if err != nil || resp == nil {
		return resp, err
	}
	if location := resp.Header.Get("Location"); location != "" {
		if _, err := url.Parse(location); err != nil {
			resp.Header.Del("Location")
		}
	}
	return resp, nil
}

var identity = []string{"identity"}

// emptyBody is not http.NoBody, which net/http takes for no body. WriteTo
// spares it the buffer that net/http would copy with.
type emptyBody struct{}

func (emptyBody) Read([]byte) (int, error) { return 0, io.EOF }
func (emptyBody) Close() error             { return nil }

func (emptyBody) WriteTo(io.Writer) (int64, error) { return 0, nil }

// clientTripper keeps a user's Timeout and cookie jar in force for each
// attempt.
type clientTripper struct{ client *http.Client }

func (t clientTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.client.Do(req)
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	return resp, err
}
