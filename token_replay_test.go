package mid_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/mobid-io/mid-go"
)

// A call replays once for a 401, however often one comes, and the last refused
// token is dropped too.
func TestOneReplayACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		no, down := status(401, problem("unauthorized", "no", "")), status(503, "down")
		a := &api{handle: answers(no, down, no, status(200, ok(pendingSession)))}
		c := a.client(t)
		require.ErrorIs(t, look(t.Context(), c), mid.ErrUnauthorized)
		require.Len(t, a.sent(), 3)
		require.NoError(t, look(t.Context(), c))
		require.Equal(t, 3, a.tokenRequests())
	})
}

// The token that came after a 401 is dropped too when it is refused, for the
// calls that follow.
func TestSecondRefusedTokenIsDropped(t *testing.T) {
	no := status(401, problem("unauthorized", "no", ""))
	a := &api{handle: answers(no, no, status(200, ok(pendingSession)))}
	c := a.client(t)
	require.ErrorIs(t, look(t.Context(), c), mid.ErrUnauthorized)
	require.NoError(t, look(t.Context(), c))
	require.Equal(t, "Bearer token-3", last(a.sent()).Header.Get("Authorization"))
}

// A token that the cache can't drop would be sent again, so that there is no
// replay.
func TestTokenThatCanNotBeDropped(t *testing.T) {
	a := &api{handle: answers(status(401, problem("unauthorized", "revoked", "")))}
	require.ErrorIs(t, look(t.Context(), a.client(t, mid.WithTokenCache(new(stubborn)))), mid.ErrUnauthorized)
	require.Len(t, a.sent(), 1)
}

// stubborn is a cache that drops nothing.
type stubborn struct{ cache }

func (*stubborn) Invalidate(context.Context, *oauth2.Token) error {
	return errors.New("the store is down")
}

// A network failure after a 401 is a network failure: a wait goes on.
func TestNetworkFailureAfterA401(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reset := failed(errors.New("connection reset"))
		a := &api{handle: answers(
			status(200, ok(pendingSession)),
			status(401, problem("unauthorized", "revoked", "")), reset, reset, reset, reset,
			status(200, ok(strings.Replace(pendingSession, "pending", "declined", 1))))}
		c := a.client(t, mid.WithRetry(mid.RetryPolicy{MaxRetries: 3}))
		_, err := c.Signing.WaitForSession(t.Context(), "sig_1", mid.PollOptions{})
		require.NoError(t, err)
	})
}

// A token source that panics, or ends its goroutine, fails the calls that wait
// for it, and no other.
func TestTokenSourceThatNeverReturns(t *testing.T) {
	for name, breakdown := range map[string]func(){"panic": func() { panic("secret-in-a-panic") }, "exit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			var once sync.Once
			src := source(func(context.Context) (*oauth2.Token, error) {
				once.Do(breakdown)
				return &oauth2.Token{AccessToken: "mine"}, nil
			})
			a := &api{handle: session}
			c := a.client(t, mid.WithTokenSource(src))
			err := look(t.Context(), c)
			require.ErrorContains(t, err, "the token source did not return")
			require.NotContains(t, err.Error(), "secret-in-a-panic")
			require.NoError(t, look(t.Context(), c))
		})
	}
}

func TestTokenThatNoHeaderMayHold(t *testing.T) {
	a := &api{handle: session}
	src := source(func(context.Context) (*oauth2.Token, error) { return &oauth2.Token{AccessToken: "hush\nhush"}, nil })
	err := look(t.Context(), a.client(t, mid.WithTokenSource(src)))
	require.ErrorContains(t, err, "no header may hold")
	require.NotContains(t, err.Error(), "hush")
	require.Empty(t, a.sent())
}

// A token that can't be used does not become better by waiting.
func TestWaitEndsForATokenThatCanNotBeUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, token := range []*oauth2.Token{nil, {}, {AccessToken: "a\nb"}} {
			src := source(func(context.Context) (*oauth2.Token, error) { return token, nil })
			for _, opt := range []mid.Option{mid.WithTokenSource(src), mid.WithTokenCache(fixedCache{token: token})} {
				start := time.Now()
				_, err := (&api{}).client(t, opt).Authentication.WaitForSession(t.Context(), "sess_1", mid.PollOptions{})
				_, ok := errors.AsType[*mid.ValidationError](err)
				require.True(t, ok, "%v", err)
				require.Zero(t, time.Since(start))
			}
		}
	})
}
