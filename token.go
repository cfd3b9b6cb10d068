package mid

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/oauth2"

	"github.com/mobid-io/mid-go/internal/credentials"
)

// TokenSource gets access tokens, for [WithTokenSource]. Token is called when
// the client's [TokenCache] has no good token, never for each request. ctx is
// the cache's: it has the values of a caller's, such as a trace, and ends with
// the cache's patience, not with a caller's end.
//
// An error is retried within the retries of the calls that wait for the token,
// unless it is an [*APIError] or an [oauth2.RetrieveError] with a status that is
// not retried, such as the 401 of refused credentials, or a [*ValidationError].
// Those end the calls, and a Wait or a Watch, at once. So do a panic and a
// source that does not return within the cache's patience.
//
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
// own shares it between processes. The client asks at every wire send, when the
// request is about to leave, so Token must be quick when it has a token. The
// client sends what it is given, whatever its Expiry. A store that is shared
// needs a token's AccessToken, TokenType and Expiry.
//
// When to renew a token is the cache's business. The default renews it in the
// background when a quarter of its life is left, but not earlier than five
// minutes before its end, and stops using it in the last tenth of its life, or
// the last ten seconds if they are less. It compares the wall clock, because the
// monotonic one stands still while a machine sleeps. After a failed renewal it
// pauses: without a pause every call would start the next.
//
// fetch is the client's: it sends the token request, with two retries of its
// own, or asks the [TokenSource]. The token request passes [Limiter.Wait] like
// any other request, in front of those that wait there, so fetch may take as long
// as the limiter makes it wait. A lock that keeps other processes from fetching
// must end by itself, after a time limit, in case its holder dies; fetching twice
// does no harm.
//
// Implementations are safe for concurrent use. Test one of your own with
// [github.com/mobid-io/mid-go/midtest.TestTokenCache].
type TokenCache interface {
	// Token returns the cached token, or has it fetched once for all who share
	// the cache. It returns when ctx ends, but gives fetch a context of the
	// cache's own, such as [context.WithoutCancel] of ctx with a time limit, so
	// that one caller's end does not fail the others.
	//
	// An error of fetch is returned as it is, or wrapped. It is retried as those
	// of a [TokenSource] are, and so is any other error. Failures are not kept:
	// the next call fetches anew.
	Token(ctx context.Context, fetch func(context.Context) (*oauth2.Token, error)) (*oauth2.Token, error)
	// Invalidate drops t, which the server refused, and only t: a newer token
	// stays. Tokens are the same when their AccessToken is. If it returns an
	// error, the refused call fails with its 401.
	Invalidate(ctx context.Context, t *oauth2.Token) error
}

// NewTokenCache returns a [TokenCache] within the process, as each client has one
// of its own: for several clients with the same credentials, and for the part of
// a shared cache that keeps the token at hand, so that a call needs no round trip.
// It waits for a fetch as long as a client with [DefaultRetryPolicy].
func NewTokenCache() TokenCache { return newTokenCache(DefaultRetryPolicy().MaxRetryAfter) }

// newTokenCache takes the longest wait of the limiter: a token request must not
// end sooner than it may wait there.
func newTokenCache(maxWait time.Duration) *credentials.Cache {
	return &credentials.Cache{Patience: 5*time.Minute + (maxTokenRetries+1)*maxWait}
}
