package transport

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

// Attempt is the stage that makes one wire send whole: it bounds the time
// without progress and reads the answer to its end, so that a success that was
// cut off fails like a connection that was.
type Attempt struct {
	Next    http.RoundTripper
	Timeout time.Duration
}

var errNoResponse = errors.New("the round tripper returned neither a response nor an error")

// RoundTrip sends the request and reads the answer; its body is a [Payload].
func (a *Attempt) RoundTrip(req *http.Request) (*http.Response, error) {
	call := callOf(req)
	call.Attempts++
	w := &call.present.watch
	if req.Body != nil {
		w.large = !call.small()
		req.Body = w.watched(req.Body)
		w.body = req.Body
	}
	w.start(a.Timeout)
	defer w.stop()
	var err error
	if w.large {
		err = a.exchangeAside(req, call.present)
	} else {
		var body io.Closer
		body, err = a.exchange(req, call.present)
		_ = body.Close()
	}
	if timeout, ok := errors.AsType[*TimeoutError](context.Cause(req.Context())); ok && err != nil {
		err = timeout
	}
	return call.present.answer.end(w.marked(err))
}

// exchange sends the request and reads the answer. What it returns is never nil
// and remains to be closed.
func (a *Attempt) exchange(req *http.Request, s *send) (io.Closer, error) {
	resp, err := a.Next.RoundTrip(req) //nolint:bodyclose // by its caller
	if err == nil && resp == nil {
		err = errNoResponse
	}
	if err != nil {
		return http.NoBody, err
	}
	body := resp.Body
	if body == nil {
		body = http.NoBody
	}
	return body, s.answer.read(req, resp, s.watch.progress)
}

// exchangeAside leaves an upload behind when its context ends. A file's Read
// knows no context, and net/http waits for it: over HTTP/1 when the request is
// given up, over HTTP/2 when the answer is read or closed. What is left behind
// ends when the Read does.
func (a *Attempt) exchangeAside(req *http.Request, s *send) error {
	type outcome struct {
		err   error
		panic any
	}
	done := make(chan outcome, 1)
	go func() {
		var o outcome
		var body io.Closer = http.NoBody
		defer func() {
			o.panic = recover()
			done <- o
			_ = body.Close()
		}()
		body, o.err = a.exchange(req, s)
	}()
	select {
	case o := <-done:
		if o.panic != nil {
			panic(o.panic) // middleware's, where its caller expects it
		}
		return o.err
	case <-req.Context().Done():
		return context.Cause(req.Context())
	}
}

// small reports whether the call's body is sent in next to no time, so that
// its progress need not be watched.
func (c *Call) small() bool {
	b, ok := c.Body.(*Bytes)
	return ok && len(b.data) <= 64<<10
}
