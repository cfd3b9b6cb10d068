package mid

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A caller that comes just as a pause ends must not stop the timer of those
// who wait, and leave all of them waiting for ever. Real time on purpose: it
// takes a timer that is due and has not run.
func TestPauseEndsForAll(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for range 20 {
		l := newLimiter(nil, time.Minute)
		end := time.Now().Add(2 * time.Millisecond)
		l.paused = end
		done := make(chan error, 1)
		go func() { done <- l.Wait(ctx) }()
		for time.Now().Before(end) {
			continue // it spins so as to be there at the moment
		}
		require.NoError(t, l.Wait(ctx))
		require.NoError(t, <-done)
	}
}

// A later 429 that asks for less does not cut a pause short.
func TestPauseIsNotCutShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(nil, time.Minute)
		start := time.Now()
		l.Observe(RateLimit{}, 30*time.Second)
		l.Observe(RateLimit{}, 2*time.Second)
		require.NoError(t, l.Wait(t.Context()))
		require.Equal(t, 30*time.Second, time.Since(start))
	})
}

// Who comes at the moment at which the first in the queue may go does not
// overtake it.
func TestNobodyOvertakesTheQueue(t *testing.T) {
	l := newLimiter(&Plan{RequestsPerMinute: 60_000, Burst: 1}, time.Minute)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for range 20 {
		require.NoError(t, l.Wait(ctx))
	}
	l.mu.Lock() // hold dispatch up, until the token is there
	first := &waiter{ready: make(chan error, 1)}
	l.queue = append(l.queue, first)
	for l.budget.at(time.Now(), 0).After(time.Now()) {
		continue
	}
	l.mu.Unlock()
	require.NoError(t, l.Wait(ctx))
	select {
	case err := <-first.ready:
		require.NoError(t, err)
	default:
		t.Fatal("the newcomer went first")
	}
}

// A caller whose context ends at the moment at which it is let go gives its
// place in the window back.
func TestLeavingGivesThePlaceBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(nil, time.Minute)
		// The first answer tells that two more may go in this window.
		require.NoError(t, l.Wait(t.Context()))
		l.Observe(RateLimit{Limit: 3, Remaining: 2, Reset: time.Now().Add(time.Minute)}, 0)
		require.NoError(t, l.Wait(t.Context()))

		late := &waiter{ready: make(chan error, 1)}
		l.queue = append(l.queue, late)
		l.dispatch(time.Now())
		require.Len(t, late.ready, 1, "it was let go")
		l.leave(late)

		start := time.Now()
		require.NoError(t, l.Wait(t.Context()))
		require.Zero(t, time.Since(start))
		require.NoError(t, l.Wait(t.Context()))
		require.GreaterOrEqual(t, time.Since(start), time.Minute)
	})
}

// Who comes with a context that has ended takes no place, though there is one.
func TestEndedCtxTakesNoPlace(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	l := newLimiter(&Plan{RequestsPerMinute: 1, Burst: 1}, 0)
	require.ErrorIs(t, l.Wait(ended), context.Canceled)
	require.NoError(t, l.Wait(t.Context()))
}

// A refusal tells the quota as last seen, whether ctx or MaxRetryAfter forced
// it.
func TestRefusalTellsTheQuota(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		quota := RateLimit{Limit: 60, Reset: time.Now().Add(time.Hour)}
		l := newLimiter(nil, time.Minute)
		require.NoError(t, l.Wait(t.Context()))
		l.Observe(quota, 0)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.Equal(t, &RateLimitError{RetryAfter: time.Hour, RateLimit: quota}, l.Wait(t.Context()))
		require.Equal(t, &RateLimitError{RetryAfter: time.Hour, RateLimit: quota, Err: context.DeadlineExceeded}, l.Wait(ctx))
	})
}

// places counts the requests that may go now, and sends them.
func places(t *testing.T, l *limiter) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	for n := range 100 {
		if l.Wait(ctx) != nil {
			return n
		}
	}
	return 100
}

// What the headers told and what became of the requests say how many may go.
func TestWhatAnswersTellAboutTheWindow(t *testing.T) {
	now := func(after time.Duration) time.Time { return time.Now().Add(after) }
	for name, tt := range map[string]struct {
		happens func(t *testing.T, l *limiter)
		want    int
	}{
		// The server may have counted it.
		"a request without an answer is gone": {func(_ *testing.T, l *limiter) {
			l.Observe(RateLimit{Limit: 9, Remaining: 5, Reset: now(time.Minute)}, 0)
			l.Observe(RateLimit{}, 0)
		}, 4},
		"the first account is of a window that is over": {func(_ *testing.T, l *limiter) {
			l.Observe(RateLimit{Limit: 9, Remaining: 0, Reset: now(-time.Second)}, 0)
		}, 100},
		"a late answer is of a window that is over": {func(t *testing.T, l *limiter) {
			l.Observe(RateLimit{Limit: 9, Remaining: 5, Reset: now(time.Minute)}, 0)
			time.Sleep(61 * time.Second)
			require.Equal(t, 9, places(t, l))
			l.Observe(RateLimit{Limit: 9, Remaining: 4, Reset: now(-time.Second)}, 0)
		}, 0},
		// By the local clock it is not over yet, but another has begun.
		"an answer was overtaken by one of the next window": {func(_ *testing.T, l *limiter) {
			l.Observe(RateLimit{Limit: 9, Remaining: 8, Reset: now(time.Minute)}, 0)
			l.Observe(RateLimit{Limit: 9, Remaining: 0, Reset: now(time.Second)}, 0)
		}, 8},
		// Nobody else is there to tell what the window has.
		"one may ask when all have failed": {func(t *testing.T, l *limiter) {
			l.Observe(RateLimit{Limit: 1, Remaining: 0, Reset: now(time.Minute)}, 0)
			l.Observe(RateLimit{}, 0)
			time.Sleep(61 * time.Second)
			require.Equal(t, 1, places(t, l))
			l.Observe(RateLimit{}, 0)
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLimiter(nil, time.Hour)
				require.NoError(t, l.Wait(t.Context()))
				require.NoError(t, l.Wait(t.Context()))
				tt.happens(t, l)
				require.Equal(t, tt.want, places(t, l))
			})
		})
	}
}

// A place that was given back counts for nothing in the share of the window
// that this client has had, which puts its next window off.
func TestPlaceGivenBackIsNotOfTheShare(t *testing.T) {
	now := time.Now()
	reset := now.Add(time.Minute)
	b := &windowBudget{known: true, fixed: true, limit: 2, remaining: 2, reset: reset}
	require.True(t, b.take(now))
	require.Equal(t, reset.Add(yield/2), b.next())
	b.refund()
	require.Equal(t, reset, b.next())
}
