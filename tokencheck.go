package mid

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"golang.org/x/oauth2"

	"github.com/mobid-io/mid-go/internal/credentials"
	"github.com/mobid-io/mid-go/internal/transport"
)

// fetchFunc gets a new token.
type fetchFunc = func(context.Context) (*oauth2.Token, error)

// checkedSource returns the fetch function of an application's token source.
func checkedSource(f *failures, source TokenSource) fetchFunc {
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
			f.scrubError(new(transport.Call), &own)
			err = &own
		}
		return token, fromPart(ctx, "token source", err)
	}
}

// askCredentials returns the current credentials, and refuses those that must not
// be sent.
func (c *config) askCredentials(ctx context.Context) (clientID, clientSecret string, err error) {
	const option = "WithCredentialsFunc"
	if c.credentials == nil {
		return c.clientID, c.clientSecret, nil
	}
	if clientID, clientSecret, err = c.credentials(ctx); err != nil {
		return "", "", fromPart(ctx, option, err)
	}
	err = firstError(credential("client id", clientID), credential("client secret", clientSecret))
	if v, ok := errors.AsType[*ValidationError](err); ok {
		return "", "", invalid(option, "returned a "+v.Field+" that "+v.Reason)
	}
	return clientID, clientSecret, nil
}

func isInvalidClient(err error) bool { return errors.Is(err, ErrInvalidClient) }

// checkedCache is the application's token cache, whose results are checked.
type checkedCache struct {
	TokenCache
	fetch   fetchFunc
	fetches atomic.Int64                // those that have ended
	failure atomic.Pointer[failedFetch] // the latest that failed for good
}

// failedFetch is a fetch whose error is final.
type failedFetch struct {
	number int64
	err    error
}

func newCheckedCache(cache TokenCache, fetch fetchFunc) *checkedCache {
	c := &checkedCache{TokenCache: cache}
	c.fetch = func(ctx context.Context) (*oauth2.Token, error) {
		token, err := fetch(ctx)
		number := c.fetches.Add(1)
		if err != nil && permanent(err) {
			c.failure.Store(&failedFetch{number, err})
		}
		return token, err
	}
	return c
}

// Token refuses tokens that can't be sent. If an error of the cache does not wrap
// the fetch's final error, it is made to: neither the call must be retried nor a
// wait go on in vain.
func (c *checkedCache) Token(ctx context.Context, _ fetchFunc) (*oauth2.Token, error) {
	before := c.fetches.Load()
	token, err := c.TokenCache.Token(ctx, c.fetch)
	if err == nil {
		return token, usable("WithTokenCache", token)
	}
	err = fromPart(ctx, "token cache", err)
	if f := c.failure.Load(); f != nil && f.number > before && !errors.Is(err, f.err) {
		err = fmt.Errorf("%w: %w", err, f.err)
	}
	return nil, err
}

// usable refuses a token that no retry and no wait would mend.
func usable(option string, token *oauth2.Token) error {
	switch {
	case token == nil || token.AccessToken == "":
		return invalid(option, "returned no token")
	case !credentials.Sendable(token.AccessToken):
		return invalid(option, "returned a token with characters that no header may hold")
	}
	return nil
}

// tokenFailure marks an error with whether another attempt of the call may mend it,
// and when.
func tokenFailure(err error) error {
	e, answered := errors.AsType[*APIError](err)
	switch {
	case err == nil:
		return nil
	case answered && transport.Retried(e.StatusCode):
		return &transport.Later{Err: err, After: e.RetryAfter}
	case answered, permanent(err), errors.Is(err, ErrRateLimited), errors.Is(err, credentials.ErrBroken):
		return &transport.Permanent{Err: err}
	}
	return err
}
