package credentials

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"
)

// issuer makes tokens that live as long as life, each after the time that
// delay takes.
type issuer struct {
	life, delay time.Duration
	issued      atomic.Int32
	err         error
}

func (i *issuer) fetch(context.Context) (*oauth2.Token, error) {
	time.Sleep(i.delay)
	n := i.issued.Add(1)
	if i.err != nil {
		return nil, i.err
	}
	return &oauth2.Token{AccessToken: fmt.Sprint("token-", n), Expiry: time.Now().Add(i.life)}, nil
}

func newCache() *Cache { return &Cache{Patience: 5 * time.Minute} }

// 10,000 goroutines across a renewal cause one token request, and none of
// their calls waits for it.
func TestRenewalUnderLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, i := newCache(), &issuer{life: time.Hour, delay: 3 * time.Second}
		_, err := c.Token(t.Context(), i.fetch)
		require.NoError(t, err)
		time.Sleep(54*time.Minute + 50*time.Second)

		var wg sync.WaitGroup
		var old, renewed atomic.Int32
		for range 10_000 {
			wg.Go(func() {
				for range 20 {
					before := time.Now()
					token, err := c.Token(t.Context(), i.fetch)
					if err != nil || time.Since(before) != 0 {
						t.Errorf("after %v: %v", time.Since(before), err)
						return
					}
					if token.AccessToken == "token-1" {
						old.Add(1)
					} else {
						renewed.Add(1)
					}
					time.Sleep(time.Second)
				}
			})
		}
		wg.Wait()
		require.EqualValues(t, 2, i.issued.Load())
		require.Positive(t, old.Load())
		require.Positive(t, renewed.Load())
	})
}

// A good token is handed out without a lock.
func TestHotPathTakesNoLock(t *testing.T) {
	c, i := newCache(), &issuer{life: time.Hour}
	_, err := c.Token(t.Context(), i.fetch)
	require.NoError(t, err)
	c.mu.Lock()
	defer c.mu.Unlock()
	ctx, fetch := t.Context(), i.fetch
	_, err = c.Token(ctx, fetch)
	require.NoError(t, err)
	require.Zero(t, testing.AllocsPerRun(100, func() { _, _ = c.Token(ctx, fetch) }))
}

func TestInvalidateDropsOnlyThatToken(t *testing.T) {
	c, i := newCache(), &issuer{life: time.Hour}
	first, err := c.Token(t.Context(), i.fetch)
	require.NoError(t, err)
	require.NoError(t, c.Invalidate(t.Context(), first))
	second, err := c.Token(t.Context(), i.fetch)
	require.NoError(t, err)
	require.NotEqual(t, first.AccessToken, second.AccessToken)

	require.NoError(t, c.Invalidate(t.Context(), first), "it is not kept any more")
	again, err := c.Token(t.Context(), i.fetch)
	require.NoError(t, err)
	require.Equal(t, second.AccessToken, again.AccessToken)
	require.NoError(t, newCache().Invalidate(t.Context(), first))
}

// A newer token that comes while the refused one is being dropped stays. The
// tokens are long, so that it comes while they are compared.
func TestInvalidateKeepsATokenThatComesMeanwhile(t *testing.T) {
	old := strings.Repeat("x", 8<<20)
	refused := &oauth2.Token{AccessToken: strings.Clone(old)}
	for range 20 {
		c := new(Cache)
		c.current.Store(newEntry(&oauth2.Token{AccessToken: old}, time.Now()))
		newer := newEntry(&oauth2.Token{AccessToken: "newer"}, time.Now())
		var begun atomic.Bool
		done := make(chan error)
		go func() {
			begun.Store(true)
			done <- c.Invalidate(t.Context(), refused)
		}()
		for !begun.Load() {
			continue // it spins so as to be there at the moment
		}
		c.current.Store(newer)
		require.NoError(t, <-done)
		require.Same(t, newer, c.current.Load())
	}
}

// Who finds no good token, but comes to the lock after another has put one
// there, fetches none; who renews fetches only if the token is still the old
// one.
func TestTheSlowerCallerFetchesNothing(t *testing.T) {
	c, i := new(Cache), &issuer{life: time.Hour}
	old, newer := newEntry(new(oauth2.Token), time.Now()), newEntry(new(oauth2.Token), time.Now())
	c.current.Store(newer)
	require.Nil(t, c.start(t.Context(), i.fetch, nil))
	require.Nil(t, c.start(t.Context(), i.fetch, old))
	f := c.start(t.Context(), i.fetch, newer)
	require.NotNil(t, f)
	<-f.done
}

// A failure reaches all who wait for it, and no caller that comes later.
func TestFailureIsNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, i := newCache(), &issuer{life: time.Hour, delay: time.Second, err: errors.New("down")}
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				if _, err := c.Token(t.Context(), i.fetch); !errors.Is(err, i.err) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		require.EqualValues(t, 1, i.issued.Load())
		i.err = nil
		_, err := c.Token(t.Context(), i.fetch)
		require.NoError(t, err)
	})
}

// A fetch that hangs is given up in the end, so that another can begin, whether
// or not it knows its context. The caller's own context has not ended.
func TestFetchThatHangs(t *testing.T) {
	for name, hang := range map[string]func(ctx context.Context, stuck chan struct{}) (*oauth2.Token, error){
		"with its context": func(ctx context.Context, _ chan struct{}) (*oauth2.Token, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		},
		"without": func(_ context.Context, stuck chan struct{}) (*oauth2.Token, error) {
			<-stuck
			return &oauth2.Token{AccessToken: "too late"}, nil
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			c, i, stuck := newCache(), &issuer{life: time.Hour}, make(chan struct{})
			start := time.Now()
			_, err := c.Token(t.Context(), func(ctx context.Context) (*oauth2.Token, error) { return hang(ctx, stuck) })
			require.ErrorIs(t, err, ErrBroken, name)
			require.NotErrorIs(t, err, context.DeadlineExceeded, name)
			require.Equal(t, 5*time.Minute, time.Since(start), name)
			token, err := c.Token(t.Context(), i.fetch)
			require.NoError(t, err, name)
			close(stuck)
			synctest.Wait()
			again, err := c.Token(t.Context(), i.fetch)
			require.NoError(t, err, name)
			require.Equal(t, token, again, "what comes too late is not kept")
		})
	}
}

// After a failed early renewal there is a pause, or every call of the last
// minutes would start one: about 40 in five minutes, not 2,401.
func TestFailedRenewalsArePaused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, i := newCache(), &issuer{life: time.Hour}
		_, err := c.Token(t.Context(), i.fetch)
		require.NoError(t, err)
		i.err = errors.New("down")
		time.Sleep(55 * time.Minute)
		for range 2400 {
			_, err := c.Token(t.Context(), i.fetch)
			require.NoError(t, err, "the token is still good")
			time.Sleep(120 * time.Millisecond)
		}
		require.LessOrEqual(t, i.issued.Load(), int32(50))
		require.Greater(t, i.issued.Load(), int32(10), "the renewal is not given up")
	})
}

// The fetch has the values of the ctx of the caller that began it, such as a
// trace, and neither its end nor its deadline.
func TestFetchHasTheValuesOfTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache()
		type key struct{}
		ctx, cancel := context.WithTimeout(context.WithValue(t.Context(), key{}, "trace"), time.Second)
		defer cancel()
		var landed *oauth2.Token
		_, err := c.Token(ctx, func(fetchCtx context.Context) (*oauth2.Token, error) {
			require.Equal(t, "trace", fetchCtx.Value(key{}))
			deadline, ok := fetchCtx.Deadline()
			require.True(t, ok)
			require.Equal(t, c.Patience, time.Until(deadline))
			time.Sleep(time.Minute) // the caller has left by then
			require.NoError(t, fetchCtx.Err())
			landed = &oauth2.Token{AccessToken: "t"}
			return landed, nil
		})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		time.Sleep(2 * time.Minute)
		token, err := c.Token(t.Context(), nil)
		require.NoError(t, err)
		require.Same(t, landed, token)
	})
}
