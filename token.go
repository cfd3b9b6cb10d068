package mid

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"golang.org/x/oauth2"

	"github.com/mobid-io/mid-go/internal/credentials"
)

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
		Path:       opToken.path,
		Attempts:   1,
	}
}

// Format writes a fixed text, whatever the verb: the source may hold secrets.
func (oauth2Source) Format(f fmt.State, _ rune) { writeShown(f, "mid.OAuth2TokenSource", hidden()) }

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
