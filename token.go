package mid

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"golang.org/x/oauth2"
)

// TokenSource gets access tokens, for [WithTokenSource]. Token is called only when
// the client's [TokenCache] needs a new token. ctx comes from the cache. It has the
// values of a caller's context, such as a trace, but does not end with the caller.
//
// An error is retried within the retries of the calls that wait for the token.
// Some errors are final, and end the calls, and a Wait or a Watch, at once: a
// [*ValidationError], and an [*APIError] or an [oauth2.RetrieveError] with a status
// that is not retried, such as the 401 of refused credentials. A panic is final
// too, and so is a source that does not return before ctx ends.
//
// Implementations are safe for concurrent use.
type TokenSource interface {
	Token(ctx context.Context) (*oauth2.Token, error)
}

// OAuth2TokenSource makes a [TokenSource] of one of package oauth2. The Token
// method of src takes no context, so a call of it that is under way when ctx ends
// is left behind. An [oauth2.RetrieveError] with the code invalid_client matches
// [ErrInvalidClient].
//
// Prefer a source that does not cache, because the client's [TokenCache] does. The
// TokenSource of clientcredentials.Config keeps its token: if the server refuses
// the token before it expires, such a source returns the refused one again.
//
// If src is nil, OAuth2TokenSource returns nil, which [WithTokenSource] refuses.
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

// TokenCache keeps the access token between requests, for [WithTokenCache]. The
// default keeps it in memory for one client. An implementation of your own can
// share it between processes; it must keep the AccessToken, TokenType and Expiry.
//
// The client calls Token for every wire send, when it is the request's turn, so
// Token must be quick when it has a token. The client sends the token that it gets,
// whatever its Expiry.
//
// The cache decides when to renew a token. The default renews it in the background
// when a quarter of its life is left, but not earlier than five minutes before its
// end. It stops using a token in the last tenth of its life, or in the last ten
// seconds if they are less. It compares the wall clock, because the monotonic one
// stands still while a machine sleeps. After a failed renewal it pauses, because
// otherwise every call would start another.
//
// fetch comes from the client. It sends the token request, with two retries of its
// own, or calls the [TokenSource]. A token request waits in [Limiter.Wait] like any
// other request, so fetch may take as long as that. If a lock keeps other processes
// from fetching, it must expire, because its holder may die. Fetching twice does no
// harm.
//
// Implementations are safe for concurrent use. Test one of your own with
// [github.com/mobid-io/mid-go/midtest.TestTokenCache].
type TokenCache interface {
	// Token returns the cached token, or fetches one, once for all callers that
	// share the cache. It returns when ctx ends. fetch must get another context,
	// such as [context.WithoutCancel] of ctx with a time limit, because the end of
	// one caller must not fail the others.
	//
	// An error of fetch is returned as it is, or wrapped. It is retried as an
	// error of a [TokenSource] is, and so is any other error. Token does not keep
	// errors: the next call fetches again.
	Token(ctx context.Context, fetch func(context.Context) (*oauth2.Token, error)) (*oauth2.Token, error)
	// Invalidate drops t, which the server has refused. It drops no other token,
	// such as a newer one. Two tokens are the same if their AccessToken is. If
	// Invalidate returns an error, the refused call fails with its 401.
	Invalidate(ctx context.Context, t *oauth2.Token) error
}
