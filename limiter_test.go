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
