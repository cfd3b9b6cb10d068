package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// Retry is the first stage: it sends a call until the answer is final.
type Retry struct {
	MaxRetries    int           // further requests after the first
	MinWait       time.Duration // the first wait's upper bound, doubled for each further one
	MaxWait       time.Duration // no backoff's bound is higher
	MaxRetryAfter time.Duration // a server that asks for more is not waited for
	Next          *http.Client  // a pipeline without a Timeout, for that would include the limiter's waits
}

// Do sends the call. The answer's body has been read and is in memory, see
// [Payload]. An answer that is no success is returned as such, with a nil
// error.
func (r *Retry) Do(call *Call) (*http.Response, error) {
	// A client of retryablehttp is no more than its settings. Each call has
	// one of its own, through which check tells backoff the wait.
	t := &call.try
	t.policy = r
	t.client.HTTPClient = r.Next
	t.client.RetryMax = r.MaxRetries
	t.client.CheckRetry = check
	t.client.Backoff = backoff
	// The default gives the last answer up for an error of its own.
	t.client.ErrorHandler = retryablehttp.PassthroughErrorHandler
	// The body is not told to retryablehttp, which would measure and rewind it
	// in its own way: each attempt opens it afresh, see Call.attempt.
	t.request.Request = (&http.Request{
		Method: call.Method,
		URL:    &call.URL,
		Host:   call.URL.Host,
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

// noHeader is the header of the request that the client is given; nobody
// writes to it. Each attempt has one of its own.
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

// try is the state of one call's retries.
type try struct {
	policy  *Retry
	client  retryablehttp.Client
	request retryablehttp.Request
	sent    int
}

// check decides whether there is another attempt, and when. Both are decided
// here, because retryablehttp drains the answer before it asks for the wait,
// and sleeps past the deadline.
func check(ctx context.Context, resp *http.Response, err error) (bool, error) {
	call := ctx.Value(callKey{}).(*Call)
	call.try.sent++
	if err != nil {
		if ended := ctx.Err(); ended != nil && !errors.Is(err, ended) {
			return false, ended
		} else if ended != nil {
			return false, err
		}
		after := time.Duration(0)
		if later, ok := errors.AsType[*Later](err); ok {
			after = later.After
		}
		return Mendable(err) && after <= call.try.policy.MaxRetryAfter && call.again(max(after, call.try.jitter())), err
	}
	if !Retried(resp.StatusCode) {
		return false, nil
	}
	after := RetryAfter(resp)
	if after > call.try.policy.MaxRetryAfter || !call.again(max(after, call.try.jitter())) {
		return false, nil
	}
	call.Last = resp
	return true, nil
}

// backoff returns what check has set.
func backoff(wait, _ time.Duration, _ int, _ *http.Response) time.Duration { return wait }

// again reports whether there may be another attempt after wait, and prepares
// the call for it.
func (c *Call) again(wait time.Duration) bool {
	if c.try.sent > c.try.policy.MaxRetries || c.NoRetry || c.Err() != nil {
		return false
	}
	if deadline, ok := c.Deadline(); ok && time.Until(deadline) <= wait {
		return false
	}
	if c.rewind() != nil {
		return false
	}
	c.try.client.RetryWaitMin = wait
	return true
}

// jitter is exponential backoff with full jitter: anything between zero and
// the bound, so that clients that failed together do not come back together.
func (t *try) jitter() time.Duration {
	bound := t.policy.MinWait
	for i := 1; i < t.sent && bound < t.policy.MaxWait; i++ {
		bound *= 2
	}
	return rand.N(min(bound, t.policy.MaxWait) + 1)
}

// Retried reports whether an answer with this status is worth another attempt.
func Retried(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// Mendable reports whether another attempt could end better: not when a stage
// refused the request, nor when the two sides can't agree on TLS.
func Mendable(err error) bool {
	return !is[*Permanent](err) &&
		!is[*tls.CertificateVerificationError](err) &&
		!is[x509.UnknownAuthorityError](err) &&
		!is[x509.HostnameError](err) &&
		!is[x509.CertificateInvalidError](err) &&
		!isAlert(err) &&
		!is[tls.RecordHeaderError](err) &&
		!errors.Is(err, http.ErrSchemeMismatch) &&
		!errors.Is(err, errTooLarge)
}

// isAlert reports whether a side refused the TLS connection. The alert's type
// is not exported ([tls.AlertError] is QUIC's); it comes in a [net.OpError].
func isAlert(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && (op.Op == "remote error" || op.Op == "local error")
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
