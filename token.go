package mid

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/oauth2"

	"github.com/mobid-io/mid-go/internal/credentials"
	"github.com/mobid-io/mid-go/internal/transport"
)

const tokenPath = "/auth/token"

// TokenSource gets access tokens, for [WithTokenSource]. Token is called when
// the client's [TokenCache] has no good token, never for each request. ctx is
// the cache's and ends with the cache's patience, not with a caller's.
// Implementations are safe for concurrent use.
type TokenSource interface {
	Token(ctx context.Context) (*oauth2.Token, error)
}

// OAuth2TokenSource makes a [TokenSource] of one of package oauth2, whose
// Token method takes no context: it is not called when ctx has ended already,
// and once called it is left behind when the cache's patience ends. An
// [oauth2.RetrieveError] with the code invalid_client matches [ErrInvalidClient].
//
// Prefer a source that does not cache: the client's [TokenCache] does. The
// TokenSource of clientcredentials.Config keeps its token itself, so after a
// revocation it offers the refused one again until it expires.
//
// For a nil src it returns nil, which [WithTokenSource] refuses.
func OAuth2TokenSource(src oauth2.TokenSource) TokenSource {
	if src == nil {
		return nil
	}
	return oauth2Source{src.Token}
}

// oauth2Source has a function, so that no dump shows what the source holds.
type oauth2Source struct {
	token func() (*oauth2.Token, error)
}

func (s oauth2Source) Token(ctx context.Context) (*oauth2.Token, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	token, err := s.token()
	if e, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		// Its text would quote the whole answer.
		return nil, retrieveError(e)
	}
	return token, err
}

func retrieveError(e *oauth2.RetrieveError) error {
	status := 0
	if e.Response != nil {
		status = e.Response.StatusCode
	}
	return &APIError{
		StatusCode: status,
		Code:       ErrorCode(e.ErrorCode),
		Message:    e.ErrorDescription,
		Method:     http.MethodPost,
		Path:       tokenPath,
		Attempts:   1,
	}
}

// Format writes a fixed text, whatever the verb: the source may hold secrets.
func (oauth2Source) Format(f fmt.State, _ rune) { writeRedacted(f, "mid.OAuth2TokenSource") }

// TokenCache keeps the access token between requests, for [WithTokenCache].
// The default keeps it in memory for one client; an implementation of one's
// own shares it between processes. The client asks at every wire send, so Token
// must be quick when it has a token. When to renew it, ahead of its expiry, is
// the cache's business: the client sends what it is given, whatever its Expiry,
// unless it expired while the request waited for the limiter. A store that is
// shared needs a token's AccessToken, TokenType and Expiry. Implementations are
// safe for concurrent use.
type TokenCache interface {
	// Token returns the cached token, or has it fetched once for all who share
	// the cache. It returns when ctx ends, but gives fetch a context of the
	// cache's own, such as [context.WithoutCancel] of ctx with a time limit, so
	// that one caller's end does not fail the others. An error ends the call,
	// which is not retried; a Wait or a Watch goes on.
	Token(ctx context.Context, fetch func(context.Context) (*oauth2.Token, error)) (*oauth2.Token, error)
	// Invalidate drops t, which the server refused, and only t: a newer token
	// stays. Tokens are the same when their AccessToken is. An error has the
	// refused call fail with its 401.
	Invalidate(ctx context.Context, t *oauth2.Token) error
}

var _ TokenCache = (*credentials.Cache)(nil)

// ownSource returns the source of the client's own credentials.
func (p *pipeline) ownSource(cfg *config) *credentials.Source {
	s := &credentials.Source{
		Ask:     credentials.Fixed(cfg.clientID, cfg.clientSecret),
		Request: p.requestToken,
		Refused: func(err error) bool { return errors.Is(err, ErrInvalidClient) },
	}
	if cfg.credentials != nil {
		s.Ask = checkedCredentials(cfg.credentials)
	}
	return s
}

// checkedCredentials refuses credentials that must not be sent.
func checkedCredentials(ask func(context.Context) (clientID, clientSecret string, err error)) func(context.Context) (string, string, error) {
	const option = "WithCredentialsFunc"
	return func(ctx context.Context) (string, string, error) {
		clientID, clientSecret, err := ask(ctx)
		if err != nil {
			return "", "", in(ctx, option, err)
		}
		err = firstError(credential("client id", clientID), credential("client secret", clientSecret))
		if v, ok := errors.AsType[*ValidationError](err); ok {
			return "", "", invalid(option, "returned a "+v.Field+" that "+v.Reason)
		}
		return clientID, clientSecret, nil
	}
}

// requestToken sends a token request through the lower half of the pipeline.
func (p *pipeline) requestToken(ctx context.Context, body []byte) (*oauth2.Token, error) {
	call := p.call(ctx, request{method: http.MethodPost, path: tokenPath, body: transport.Bytes(body)})
	resp, err := p.tokens.Do(call)
	if err != nil {
		return nil, p.failure(call, err)
	}
	env, err := p.decode(call, resp, nil)
	if err != nil {
		return nil, err
	}
	token, err := credentials.Parse(transport.Data(resp), call.Left)
	if err != nil {
		return nil, p.unreadable(call, resp, env, err.Error())
	}
	return token, nil
}

// checked is a token source of the application's, whose errors name it.
func (p *pipeline) checked(source TokenSource) func(context.Context) (*oauth2.Token, error) {
	return func(ctx context.Context) (*oauth2.Token, error) {
		token, err := source.Token(ctx)
		if err == nil {
			err = usable("WithTokenSource", token)
		}
		if e, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
			err = retrieveError(e)
		}
		if e, ok := err.(*APIError); ok { //nolint:errorlint // such as OAuth2TokenSource's
			own := *e
			own.Details = slices.Clone(e.Details)
			p.scrubTold(new(transport.Call), &own)
			err = &own
		}
		return token, in(ctx, "token source", err)
	}
}

// token returns a token for one wire send.
func (p *pipeline) token(ctx context.Context) (*oauth2.Token, error) {
	token, err := p.cache.Token(ctx, p.fetch)
	return token, tokenFailure(in(ctx, "token cache", err))
}

// tokenFailure marks an error by whether and when another attempt of the call
// may mend it.
func tokenFailure(err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*APIError](err); ok && transport.Retried(e.StatusCode) {
		return &transport.Later{Err: err, After: e.RetryAfter}
	}
	if permanent(err) || errors.Is(err, ErrRateLimited) || errors.Is(err, credentials.ErrBroken) {
		return &transport.Permanent{Err: err}
	}
	return err
}

// checkedCache is a token cache of the application's.
type checkedCache struct {
	TokenCache
	fetches atomic.Int64           // those that have ended
	failed  atomic.Pointer[failed] // the latest that failed for good
}

// failed is a fetch whose error is final.
type failed struct {
	fetch int64 // its number
	err   error
}

// Token refuses tokens that can't be sent. An error of the cache that has lost
// its cause has it again, or a final one would be retried, and waited for, in
// vain.
func (c *checkedCache) Token(ctx context.Context, fetch func(context.Context) (*oauth2.Token, error)) (*oauth2.Token, error) {
	before := c.fetches.Load()
	token, err := c.TokenCache.Token(ctx, c.noted(fetch))
	if err == nil {
		return token, usable("WithTokenCache", token)
	}
	if f := c.failed.Load(); f != nil && f.fetch > before && !errors.Is(err, f.err) {
		err = fmt.Errorf("%w: %w", err, f.err)
	}
	return nil, err
}

// noted returns a fetch whose final failure is kept.
func (c *checkedCache) noted(fetch func(context.Context) (*oauth2.Token, error)) func(context.Context) (*oauth2.Token, error) {
	return func(ctx context.Context) (*oauth2.Token, error) {
		token, err := fetch(ctx)
		n := c.fetches.Add(1)
		if err != nil && permanent(err) {
			c.failed.Store(&failed{n, err})
		}
		return token, err
	}
}

// usable refuses what would be retried, and waited for, in vain.
func usable(option string, token *oauth2.Token) error {
	switch {
	case token == nil || token.AccessToken == "":
		return invalid(option, "returned no token")
	case !credentials.Sendable(token.AccessToken):
		return invalid(option, "returned a token with characters that no header may hold")
	}
	return nil
}

// in names the part of the client that an error is of, unless it says so
// itself, or is only the end of ctx.
func in(ctx context.Context, part string, err error) error {
	if err == nil || ctx.Err() != nil || strings.HasPrefix(err.Error(), "mid: ") {
		return err
	}
	return fmt.Errorf("mid: the %s: %w", part, err)
}
