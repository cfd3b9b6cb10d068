package transport

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// Retry is the first stage: it sends a call until the answer is final.
//
// Package retryablehttp has the loop: send, ask CheckRetry, wait, send again.
// The rest is decided in [check], because the loop drains an answer before it
// asks for the wait, and sleeps past the deadline. Each call has a client of
// its own, which is no more than its settings, so that check can hand the wait
// to Backoff in RetryWaitMin. The loop is given no body, which it would measure
// and rewind in its own way: each attempt opens it afresh, see Call.attempt.
type Retry struct {
	Policy
	Next *http.Client // a pipeline without a Timeout, for that would include the limiter's waits
}

// Do sends the call. The answer's body has been read and is in memory, see
// [Data]. An answer that is not a success is returned with a nil error, too.
func (r *Retry) Do(call *Call) (*http.Response, error) {
	t := &call.try
	t.policy = &r.Policy
	t.client.HTTPClient = r.Next
	t.client.RetryMax = r.MaxRetries
	t.client.CheckRetry = check
	t.client.Backoff = func(wait, _ time.Duration, _ int, _ *http.Response) time.Duration { return wait }
	// The default handler would drop the last answer and return its own error.
	t.client.ErrorHandler = retryablehttp.PassthroughErrorHandler
	t.request.Request = (&http.Request{
		Method: call.Method,
		URL:    &call.URL,
		Header: noHeader,
		Proto:  "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(call)
	resp, err := t.client.Do(&t.request)
	if err == nil {
		return resp, nil
	}
	if call.Body != nil && call.Body.Err() != nil {
		return nil, call.Body.Err()
	}
	return nil, cause(err)
}

// noHeader is the header of the request that the client is given, which is
// never written to. Each attempt has one of its own.
var noHeader = http.Header{}

// cause takes off what package net/http and the stages have put around an
// error: a [url.Error] would show the query.
func cause(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	if p, ok := errors.AsType[*Permanent](err); ok {
		err = p.Err
	}
	if l, ok := errors.AsType[*Later](err); ok {
		err = l.Err
	}
	return err
}

// check decides whether there is another attempt, and when.
func check(ctx context.Context, resp *http.Response, err error) (bool, error) {
	call := ctx.Value(callKey{}).(*Call)
	t := &call.try
	t.sent++
	asked := time.Duration(0)
	switch {
	case err != nil && call.Err() != nil:
		return false, ended(call, err)
	case err != nil && !Mendable(err):
		return false, err
	case err == nil && !Retried(resp.StatusCode):
		return false, nil
	case err == nil:
		asked = RetryAfter(resp)
	case is[*Later](err):
		later, _ := errors.AsType[*Later](err)
		asked = later.After
	}
	wait := max(asked, t.policy.backoff(t.sent))
	if asked > t.policy.MaxRetryAfter || t.sent > t.policy.MaxRetries || call.NoRetry || !inTime(call, wait) || call.rewind() != nil {
		return false, err
	}
	if err == nil {
		call.Last = resp
	}
	t.client.RetryWaitMin = wait
	return true, err
}

// ended is ctx's error, with err's words if err says so itself.
func ended(ctx context.Context, err error) error {
	if errors.Is(err, ctx.Err()) {
		return err
	}
	return ctx.Err()
}

// inTime reports whether ctx will still live after wait.
func inTime(ctx context.Context, wait time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return ctx.Err() == nil && (!ok || time.Until(deadline) > wait)
}
