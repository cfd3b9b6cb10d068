package transport

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"
)

// Auth is the stage that sends a call again, once, after a 401. The second request
// passes the stages below as the first did: the limiter and [Bearer].
type Auth struct {
	Next http.RoundTripper
	// Invalidate drops a token that the server refused, and only that one.
	Invalidate func(ctx context.Context, t *oauth2.Token) error
}

// RoundTrip sends the request, and once more after a 401.
func (a *Auth) RoundTrip(req *http.Request) (*http.Response, error) {
	call := callOf(req)
	resp, err := a.Next.RoundTrip(req)
	if err != nil || resp.StatusCode != http.StatusUnauthorized || !a.replayable(call) {
		return resp, err
	}
	call.bearing.replayed, call.Last = true, resp
	call.ahead = true // it had its turn
	resp, err = a.Next.RoundTrip(req)
	if err == nil && resp.StatusCode == http.StatusUnauthorized {
		_ = a.Invalidate(call, call.bearing.token) // for the calls that follow; this one ends with its answer
	}
	return resp, err
}

// replayable drops a refused token, for the calls that follow in any case, and
// reports whether this call may be sent again.
func (a *Auth) replayable(call *Call) bool {
	dropped := a.Invalidate(call, call.bearing.token) == nil
	return dropped && !call.NoRetry && !call.bearing.replayed && call.rewind() == nil
}

// Later marks an error that another attempt may mend, but not before a time
// has passed.
type Later struct {
	Err   error
	After time.Duration
}

func (l *Later) Error() string { return l.Err.Error() }

// Unwrap returns the marked error.
func (l *Later) Unwrap() error { return l.Err }

// Bearer is the stage that makes each attempt's request, with an access token
// if Token is set.
type Bearer struct {
	Next http.RoundTripper
	// Token returns a token that is good now. Its errors may be marked
	// [Permanent] or [Later]; the others are retried as those of the wire are.
	Token func(ctx context.Context) (*oauth2.Token, error)

	header atomic.Pointer[authorization]
}

// authorization is the header's value for a token, kept for the calls that
// follow.
type authorization struct{ token, kind, value string }

func (b *Bearer) authorization(t *oauth2.Token) string {
	if h := b.header.Load(); h != nil && h.token == t.AccessToken && h.kind == t.TokenType {
		return h.value
	}
	h := &authorization{t.AccessToken, t.TokenType, t.Type() + " " + t.AccessToken}
	b.header.Store(h)
	return h.value
}

// Prepare gets the token of the call's next request. It is called when it is the
// request's turn, because a token may expire in the limiter's queue, or the server
// may refuse it to another call meanwhile.
func (b *Bearer) Prepare(call *Call) error {
	token, err := b.Token(call)
	if err == nil {
		call.bearing.take(token)
	}
	return err
}

// RoundTrip makes the request of an attempt and sends it.
func (b *Bearer) RoundTrip(req *http.Request) (*http.Response, error) {
	call := callOf(req)
	value := ""
	if call.bearing.token != nil {
		value = b.authorization(call.bearing.token)
	}
	ctx, cancel := call.begin()
	defer cancel(nil)
	out, err := call.attempt(req.WithContext(ctx), value)
	if err != nil {
		return nil, err
	}
	call.Left = time.Now()
	return b.Next.RoundTrip(out)
}
