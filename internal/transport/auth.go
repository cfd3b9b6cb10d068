package transport

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

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
type header struct{ token, kind, authorization string }

func (a *Auth) authorization(t *oauth2.Token) string {
	if h := a.header.Load(); h != nil && h.token == t.AccessToken && h.kind == t.TokenType {
		return h.authorization
	}
	h := &header{t.AccessToken, t.TokenType, t.Type() + " " + t.AccessToken}
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

// send sends one attempt's request. A token that expired while the request
// waited for the limiter is replaced, once: the body may be one that can be
// read only once, and no server need have refused it.
func (a *Auth) send(call *Call, req *http.Request) (*oauth2.Token, *http.Response, error) {
	call.ahead = a.Token == nil
	current, replaced := call.token, call.replaced
	token, resp, err := a.sendOnce(call, req, true)
	if err == errExpired { //nolint:errorlint // it comes from the next stage as it is
		call.token, call.replaced = current, replaced // what was not sent
		token, resp, err = a.sendOnce(call, req, false)
	}
	return token, resp, err
}

// sendOnce fails with errExpired if it is picky about the token's age.
func (a *Auth) sendOnce(call *Call, req *http.Request, picky bool) (*oauth2.Token, *http.Response, error) {
	var token *oauth2.Token
	var authorization string
	call.expires = time.Time{}
	if a.Token != nil {
		var err error
		if token, err = a.Token(req.Context()); err != nil {
			return nil, nil, &Permanent{err}
		}
		if token.AccessToken != call.token {
			call.token, call.replaced = token.AccessToken, call.token
		}
		if picky && time.Now().Before(token.Expiry) {
			call.expires = token.Expiry
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
