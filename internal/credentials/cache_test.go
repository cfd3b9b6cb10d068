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

// When a token is renewed and when it is no longer used follows from its life.
func TestMargins(t *testing.T) {
	now := time.Now()
	for _, test := range []struct{ life, renew, stale time.Duration }{
		{24 * time.Hour, 24*time.Hour - 5*time.Minute, 24*time.Hour - 10*time.Second},
		{time.Hour, 55 * time.Minute, time.Hour - 10*time.Second},
		{time.Minute, 45 * time.Second, 54 * time.Second},
		{4 * time.Second, 3 * time.Second, 3600 * time.Millisecond},
		{-time.Minute, 0, 0},
	} {
		e := newEntry(&oauth2.Token{Expiry: now.Add(test.life)}, now)
		if test.life < 0 {
			require.False(t, e.usable(now))
			continue
		}
		require.True(t, e.usable(now))
		require.False(t, e.due(now.Add(test.renew-1)))
		require.True(t, e.due(now.Add(test.renew)))
		require.False(t, e.due(now.Add(test.renew)), "one caller renews")
		require.True(t, e.usable(now.Add(test.stale-1)))
		require.False(t, e.usable(now.Add(test.stale)))
	}
	forever := newEntry(new(oauth2.Token), now)
	require.True(t, forever.usable(now.Add(1000*time.Hour)))
	require.False(t, forever.due(now.Add(1000*time.Hour)))
	require.False(t, (*entry)(nil).usable(now))
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
func TestInvalidateLeavesATokenAloneThatComesMeanwhile(t *testing.T) {
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
	require.Nil(t, c.start(i.fetch, nil))
	require.Nil(t, c.start(i.fetch, old))
	f := c.start(i.fetch, newer)
	require.NotNil(t, f)
	<-f.done
}

// A failure reaches all who wait for it, and nobody who comes later.
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
			require.ErrorIs(t, err, errBroken, name)
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

func TestParseLifetime(t *testing.T) {
	sent := time.Now()
	for text, want := range map[string]time.Duration{
		"3600": time.Hour, `"60"`: time.Minute, "1.5": 1500 * time.Millisecond,
		"0": 0, "-5": 0, "null": 0, `"soon"`: 0, "1e99": 0, "[]": 0,
	} {
		token, err := Parse([]byte(`{"access_token":"t","expires_in":`+text+`}`), sent)
		require.NoError(t, err)
		if want == 0 {
			require.Zero(t, token.Expiry, text)
		} else {
			require.Equal(t, sent.Add(want), token.Expiry, text)
		}
	}
}
