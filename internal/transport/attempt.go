package transport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/mobid-io/mid-go/internal/jsonwire"
)

// MaxAnswer bounds an answer, in bytes.
const MaxAnswer = 10 << 20

// Attempt is the stage that makes one wire send whole: it bounds the time
// without progress and reads the answer to its end, so that an answer that was
// cut off fails like a connection that was.
type Attempt struct {
	Next    http.RoundTripper
	Timeout time.Duration
}

// TimeoutError says that an attempt made no progress.
type TimeoutError struct{ After time.Duration }

func (e *TimeoutError) Error() string {
	return fmt.Sprintf("no progress for %v (the attempt timeout)", e.After)
}

// Timeout is true, as in [net.Error].
func (*TimeoutError) Timeout() bool { return true }

var errNoResponse = errors.New("the round tripper returned neither a response nor an error")

// RoundTrip sends the request and reads the answer; its body is a [Payload].
func (a *Attempt) RoundTrip(req *http.Request) (*http.Response, error) {
	call := callOf(req)
	call.Attempts++
	cancel := call.cancel
	dog := &watchdog{timeout: a.Timeout}
	dog.timer = time.AfterFunc(a.Timeout, func() { cancel(&TimeoutError{a.Timeout}) })
	defer dog.stop()
	if req.Body != nil && !call.small() {
		req.Body = &watchedBody{req.Body, dog}
	}
	resp, err := a.send(req)
	if err == nil && resp == nil {
		err = errNoResponse
	}
	if err == nil {
		err = read(req, resp, dog)
	}
	if err != nil {
		if timeout, ok := errors.AsType[*TimeoutError](context.Cause(req.Context())); ok {
			err = timeout
		}
		return nil, err
	}
	return resp, nil
}

// send sends the request. A file's Read knows no context, and net/http waits
// for it when it gives an HTTP/1 request up: an upload is left behind then, and
// ends when the Read does.
func (a *Attempt) send(req *http.Request) (*http.Response, error) {
	if _, watched := req.Body.(*watchedBody); !watched {
		return a.Next.RoundTrip(req)
	}
	type outcome struct {
		resp  *http.Response
		err   error
		panic any
	}
	done := make(chan outcome, 1)
	go func() {
		var o outcome
		defer func() {
			o.panic = recover()
			done <- o
		}()
		o.resp, o.err = a.Next.RoundTrip(req) //nolint:bodyclose // by read, or below
	}()
	select {
	case o := <-done:
		if o.panic != nil {
			panic(o.panic) // middleware's, where its caller expects it
		}
		return o.resp, o.err
	case <-req.Context().Done():
	}
	go func() {
		if o := <-done; o.resp != nil && o.resp.Body != nil {
			_ = o.resp.Body.Close()
		}
	}()
	return nil, context.Cause(req.Context())
}

// watchdog ends an attempt that makes no progress.
type watchdog struct {
	timeout time.Duration
	timer   *time.Timer
	stopped atomic.Bool
}

func (d *watchdog) progress() {
	if !d.stopped.Load() {
		d.timer.Reset(d.timeout)
	}
}

func (d *watchdog) stop() {
	d.stopped.Store(true)
	d.timer.Stop()
}

type watchedBody struct {
	io.ReadCloser
	dog *watchdog
}

func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.dog.progress()
	}
	return n, err
}

// Payload is an answer's body in memory.
type Payload struct {
	bytes.Reader
	data []byte
}

// Close does nothing.
func (*Payload) Close() error { return nil }

// Data returns the body of an answer that the pipeline returned, without a byte
// order mark.
func Data(resp *http.Response) []byte {
	if p, ok := resp.Body.(*Payload); ok {
		return jsonwire.TrimMark(p.data)
	}
	return nil
}

// read replaces the answer's body by its content.
func read(req *http.Request, resp *http.Response, dog *watchdog) error {
	body := resp.Body
	if body == nil {
		body = http.NoBody
	}
	defer func() { _ = body.Close() }()
	if resp.StatusCode < 200 || req.Method == http.MethodHead {
		// The body of a 101 is the connection, which ends with no context.
		resp.Body = new(Payload)
		return nil
	}
	// Of an error its beginning will do.
	cut := resp.StatusCode < 200 || resp.StatusCode > 299
	if resp.ContentLength > MaxAnswer && !cut {
		return errTooLarge
	}
	data := make([]byte, 0, min(max(resp.ContentLength+1, 512), MaxAnswer+1))
	for {
		n, err := body.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		if n > 0 {
			dog.progress()
		}
		if len(data) > MaxAnswer && !cut {
			return errTooLarge
		}
		if len(data) > MaxAnswer || errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
	}
	p := &Payload{data: data}
	p.Reset(data)
	resp.Body = p
	return nil
}

var errTooLarge = fmt.Errorf("the answer is larger than %d MiB", MaxAnswer>>20)
