package transport

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// Limit is the stage that paces wire sends.
type Limit struct {
	Next http.RoundTripper
	// Wait returns nil when the request may be sent.
	Wait func(ctx context.Context) error
	// Observe is called once for every Wait that returned nil. The answer is nil
	// if there was none; sent is false for a request that surely never left,
	// whose place is free again.
	Observe func(answer *http.Response, sent bool)
}

// RoundTrip waits for its turn and sends the request. A refusal is final.
func (l *Limit) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := l.Wait(req.Context()); err != nil {
		return nil, unsent(req, &Permanent{err})
	}
	if call := callOf(req); !call.expires.IsZero() && !time.Now().Before(call.expires) {
		l.Observe(nil, false)
		return nil, unsent(req, errExpired)
	}
	var resp *http.Response
	var err error
	sent := true
	// Deferred, for the case that middleware panics: what is in flight for
	// ever would count against the quota for ever.
	defer func() { l.Observe(resp, sent) }()
	resp, err = l.Next.RoundTrip(req)
	sent = err == nil || !unreached(err)
	return resp, err
}

// unreached reports whether a failed request surely never reached the server:
// no connection came about.
func unreached(err error) bool {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return true
	}
	return is[*net.DNSError](err)
}

// Ahead reports whether what waits with ctx goes before the others in the
// limiter's queue.
func Ahead(ctx context.Context) bool {
	call, ok := ctx.Value(callKey{}).(*Call)
	return ok && call.ahead
}

// errExpired says that the token of a request expired before it was its turn.
var errExpired = errors.New("the access token expired while the request waited")

// unsent closes the body of a request that will not be sent.
func unsent(req *http.Request, err error) error {
	if req.Body != nil {
		_ = req.Body.Close()
	}
	return err
}
