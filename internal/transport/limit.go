package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"time"
)

// Limit is the stage that paces wire sends.
type Limit struct {
	Next http.RoundTripper
	// Wait returns nil when the request may be sent: its place in the quota is
	// taken.
	Wait func(ctx context.Context) error
	// Observe is called once for every Wait that returned nil. answer is nil if no
	// answer came. sent is false for a request that surely never left, whose place
	// is free again.
	Observe func(answer *http.Response, sent bool)
	// Prepare gets what a request needs when it is its turn. If nil, the requests
	// need nothing, because they are token requests.
	Prepare func(call *Call) error
	// Places are shared by the stages of the calls and of the token requests.
	Places *Places
}

// RoundTrip waits for the request's turn and sends it. A refusal of the limiter
// is final.
func (l *Limit) RoundTrip(req *http.Request) (*http.Response, error) {
	call := callOf(req)
	call.queued = 0
	if err := l.turn(call); err != nil {
		return nil, err
	}
	var resp *http.Response
	var err error
	before := call.Attempts
	sent := true
	// This is deferred because middleware may panic. A request that is in flight
	// for ever would count against the quota for ever.
	defer func() { l.Observe(resp, sent) }()
	resp, err = l.Next.RoundTrip(req)
	sent = err == nil || call.Attempts > before && !unreached(err)
	return resp, err
}

// turn returns nil when the request has a place and all that it needs.
func (l *Limit) turn(call *Call) error {
	if l.Prepare == nil {
		return l.tokenTurn(call)
	}
	defer func() { call.ahead = false }()
	var prepared time.Time
	for range maxTurns {
		if err := l.wait(call); err != nil {
			return err
		}
		call.placed = time.Now()
		if call.placed.Sub(prepared) < placeLife {
			return nil
		}
		kept, err := l.prepare(call)
		if err != nil {
			return err
		}
		prepared = time.Now()
		if kept && prepared.Sub(call.placed) < placeLife {
			return nil
		}
		if kept {
			l.Observe(nil, false)
		}
		call.ahead = true
	}
	// After so many turns, the request is sent with the last token, for the server
	// to judge.
	return l.wait(call)
}

// prepare gets what the request needs. Meanwhile it lends its place to the token
// request that it may wait for. kept reports whether it still has the place.
func (l *Limit) prepare(call *Call) (kept bool, err error) {
	kept = l.Places.offer(call)
	if !kept {
		l.Observe(nil, false)
	}
	done := false
	// This is deferred because the application's token cache may panic.
	defer func() {
		kept = kept && l.Places.withdraw(call)
		if kept && !done {
			l.Observe(nil, false)
		}
	}()
	err = l.Prepare(call)
	done = err == nil
	return kept, err
}

const (
	// maxTurns bounds how often a call lends its place for a token.
	maxTurns = 3
	// placeLife is how long a place may be kept without being used, and a token
	// without being sent. In a window that has begun since, the server would
	// count the request once more; the token may have been refused.
	placeLife = time.Second
)

// wait waits for a place. A call that had its turn earlier waits ahead of the others.
// If another gets a place first, it gives that up for this call.
func (l *Limit) wait(call *Call) error {
	if call.ahead {
		l.Places.wait(1)
		defer l.Places.wait(-1)
	}
	return l.queue(call, call)
}

// tokenTurn takes the place of a call that waits for the token, now or later.
// Otherwise a call could hold the quota's last place, and wait for a token request
// that needs it.
func (l *Limit) tokenTurn(call *Call) (err error) {
	ctx, leave := context.WithCancel(call)
	defer leave()
	turn := l.Places.borrow(call, leave)
	if turn == nil {
		return nil
	}
	call.ahead = true
	places, done := 0, false
	// This is deferred because the application's limiter may panic.
	defer func() {
		if l.Places.end(turn) {
			places++
		}
		if done && places > 0 && call.Err() == nil {
			places--
			err = nil
		}
		for range places {
			l.Observe(nil, false)
		}
	}()
	if err = l.queue(ctx, call); err == nil {
		places = 1
		err = refusal(call.Err())
	}
	done = true
	return err
}

// queue waits in the limiter's queue until ctx ends.
func (l *Limit) queue(ctx context.Context, call *Call) error {
	joined := time.Now()
	err := l.Wait(ctx)
	call.queued += time.Since(joined)
	return refusal(err)
}

// refusal marks an error of the limiter as final.
func refusal(err error) error {
	if err == nil {
		return nil
	}
	return &Permanent{err}
}

// Ahead reports whether a request that waits with ctx goes before the others in the
// limiter's queue. That is so for a token request, which others wait for, and for a
// call that had its turn and lent its place to one.
func Ahead(ctx context.Context) bool {
	call, ok := ctx.Value(callKey{}).(*Call)
	return ok && call.ahead
}

// unreached reports whether a failed request surely never reached the server:
// no connection came about.
func unreached(err error) bool {
	if op, ok := errors.AsType[*net.OpError](err); ok && (op.Op == "dial" || op.Op == "proxyconnect" || op.Op == "socks connect") {
		return true
	}
	return is[*net.DNSError](err) || is[*tls.CertificateVerificationError](err)
}
