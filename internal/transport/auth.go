package transport

import (
	"context"
	"net/http"
	"sync/atomic"

	"golang.org/x/oauth2"
)

// Auth is the stage that makes each attempt's request, with an access token
// if Token is set.
type Auth struct {
	Next http.RoundTripper
	// Token returns a usable token.
	Token func(ctx context.Context) (*oauth2.Token, error)
	// Invalidate drops a token that the server refused, and only that one.
	Invalidate func(ctx context.Context, t *oauth2.Token) error

	header atomic.Pointer[header]
}

// header is the Authorization of a token, kept for the calls that follow.
type header struct {
	token         *oauth2.Token
	authorization string
}

func (a *Auth) authorization(t *oauth2.Token) string {
	if h := a.header.Load(); h != nil && h.token == t {
		return h.authorization
	}
	h := &header{t, t.Type() + " " + t.AccessToken}
	a.header.Store(h)
	return h.authorization
}

// RoundTrip sends one attempt. After a 401 it fetches a new token and sends
// the request again, once a call.
func (a *Auth) RoundTrip(req *http.Request) (*http.Response, error) {
	call := callOf(req)
	token, resp, err := a.send(call, req)
	if err != nil || resp.StatusCode != http.StatusUnauthorized || token == nil {
		return resp, err
	}
	if !a.replayable(call, token) {
		return resp, nil
	}
	call.replayed, call.Last = true, resp
	token, resp, err = a.send(call, req)
	if err == nil && resp.StatusCode == http.StatusUnauthorized {
		_ = a.Invalidate(call, token) // for the calls that follow; this one ends with its answer
	}
	return resp, err
}

// replayable drops a refused token, for the calls that follow in any case, and
// reports whether this call may be sent again.
func (a *Auth) replayable(call *Call, token *oauth2.Token) bool {
	dropped := a.Invalidate(call, token) == nil
	return dropped && !call.NoRetry && !call.replayed && call.rewind() == nil
}

func (a *Auth) send(call *Call, req *http.Request) (*oauth2.Token, *http.Response, error) {
	var token *oauth2.Token
	var authorization string
	if a.Token != nil {
		var err error
		if token, err = a.Token(req.Context()); err != nil {
			return nil, nil, &Permanent{err}
		}
		if token.AccessToken != call.token {
			call.token, call.replaced = token.AccessToken, call.token
		}
		authorization = a.authorization(token)
	}
	// An attempt's context ends with it: the answer has been read by then.
	ctx, cancel := context.WithCancelCause(call)
	defer cancel(nil)
	call.cancel = cancel
	out, err := call.attempt(req.WithContext(ctx), authorization)
	if err != nil {
		return nil, nil, err
	}
	resp, err := a.Next.RoundTrip(out)
	return token, resp, err
}
