package transport

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// Limit is the stage that paces wire sends.
type Limit struct {
	Next http.RoundTripper
	// Wait returns nil when the request may be sent.
	Wait func(ctx context.Context) error
	// Observe is told of each request's end; its answer is nil if none came.
	Observe func(answer *http.Response)
}

// RoundTrip waits for its turn and sends the request. A refusal is final.
func (l *Limit) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := l.Wait(req.Context()); err != nil {
		return nil, unsent(req, &Permanent{err})
	}
	if call := callOf(req); !call.expires.IsZero() && !time.Now().Before(call.expires) {
		l.Observe(nil)
		return nil, unsent(req, errExpired)
	}
	var resp *http.Response
	// Deferred, for the case that middleware panics: what is in flight for
	// ever would count against the quota for ever.
	defer func() { l.Observe(resp) }()
	var err error
	resp, err = l.Next.RoundTrip(req)
	return resp, err
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
