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
// round tripper. Package net/http may send a request again by itself only if the
// server has surely not processed it, because the limiter does not see such a send.
// Base has no CloseIdleConnections method on purpose: the failure of one call must
// not close the connections of the others.
type Base struct {
	next  http.RoundTripper
	std   *http.Transport // what next ends in; nil if it is not net/http's own
	http1 atomic.Bool     // the protocol of the latest answer
}

// NewBase makes the base of a client, which it does not change, with transport
// in place of its Transport. Redirects are not followed: they would carry the
// token to other hosts.
func NewBase(client *http.Client, transport http.RoundTripper) *Base {
	next := http.RoundTripper(locator{transport})
	if client.Timeout != 0 || client.Jar != nil {
		own := *client
		own.Transport = next
		own.CheckRedirect = NoRedirects
		next = clientTripper{&own}
	}
	return &Base{next: next, std: standard(transport)}
}

func standard(transport http.RoundTripper) *http.Transport {
	switch t := transport.(type) {
	case *http.Transport:
		return t
	case *pool:
		return t.transport
	}
	return nil
}

// NoRedirects is a CheckRedirect that has a redirect answered as it came.
func NoRedirects(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// RoundTrip sends the request once.
func (b *Base) RoundTrip(req *http.Request) (*http.Response, error) {
	s := sendFrom(req.Context()) // nil if middleware has changed the context
	// A connection that was kept has had an answer, which showed its protocol.
	switch http1 := b.http1.Load(); {
	case http1 && req.Body == nil:
		req = b.once(req, s)
	case !http1 && s != nil && req.Body != nil && req.Body == s.watch.body:
		req = resendable(req, s)
	}
	resp, err := b.next.RoundTrip(req)
	if err == nil && resp != nil && b.http1.Load() != (resp.ProtoMajor == 1) {
		b.http1.Store(resp.ProtoMajor == 1)
	}
	if err != nil && s != nil && b.std != nil {
		err = b.proxied(req, s, err)
	}
	return resp, err
}

// resendable lets net/http send a request with a body again over HTTP/2, where
// it does so only if the server has said that it did not process the request:
// in an orderly shutdown (GOAWAY), or by refusing the stream. A body that
// middleware has put in place of the call's can't be read again.
func resendable(req *http.Request, s *send) *http.Request {
	out := s.copyOf(req)
	out.GetBody = func() (io.ReadCloser, error) {
		// Over HTTP/1 it would send again what may have been processed.
		if !s.watch.http2Link() {
			return nil, errLost
		}
		if err := s.call.rewind(); err != nil {
			return nil, err
		}
		body, err := s.call.Body.Open()
		if err != nil {
			return nil, err
		}
		return s.watch.watched(body), nil
	}
	return out
}

var errLost = errors.New("the connection was lost before an answer came")

// once makes a request without a body one that net/http does not repeat. On a
// kept HTTP/1 connection that turns out dead, it would send the request again,
// which the server may have processed. (Over HTTP/2 it only does so when the
// server has said that it has not.)
func (b *Base) once(req *http.Request, s *send) *http.Request {
	switch req.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch:
		return b.spelledKey(req)
	}
	return withEmptyBody(s.copyOf(req))
}

// withEmptyBody rests on net/http repeating no request with a body that can't
// be rewound. By the explicit identity encoding, an empty body leaves no trace
// on the wire.
func withEmptyBody(req *http.Request) *http.Request {
	req.Body, req.TransferEncoding = emptyBody{}, identity
	return req
}

// spelledKey rests on net/http repeating no POST without an Idempotency-Key,
// which it knows in its canonical spelling only. With an empty body the request
// would lose its Content-Length, which servers may insist on. A transport that
// wraps net/http's keeps the canonical spelling, as it may look for the key.
func (b *Base) spelledKey(req *http.Request) *http.Request {
	key := req.Header["Idempotency-Key"]
	if b.std == nil || key == nil {
		return req
	}
	out := *req
	out.Header = maps.Clone(req.Header)
	delete(out.Header, "Idempotency-Key")
	out.Header["idempotency-key"] = key
	return &out
}

// proxied recognizes the refusal of a proxy in a user's own transport, which
// has no type there: the proxy was reached and no connection came of it.
func (b *Base) proxied(req *http.Request, s *send, err error) error {
	if b.std.Proxy == nil || req.URL.Scheme != "https" || req.Context().Err() != nil ||
		is[*ProxyError](err) || isNetwork(err) || s.watch.gotFar() {
		return err
	}
	proxy, _ := b.std.Proxy(req)
	if proxy == nil {
		return err
	}
	return &ProxyError{Proxy: proxy.Host}
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
		err = u.Err // the next one would take off its own only, and this one has the query
	}
	return resp, err
}
