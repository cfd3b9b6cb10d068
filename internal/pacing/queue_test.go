package pacing

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// reported is an answer that reports a quota by a clock that is the local one.
func reported(limit, remaining int, resetIn time.Duration) Outcome {
	now := time.Now()
	return answered(true, Quota{Limit: limit, Remaining: remaining, Reset: now.Add(resetIn)}, 0).at(now)
}

// lost is a request of which no answer came.
var lost = Outcome{Sent: true}

// unanswered are the requests in flight.
func (q *Queue) unanswered() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.window.inFlight
}

// places counts the requests that may go now, and lets them go.
func places(t *testing.T, q *Queue) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	for n := range 1000 {
		if q.Wait(ctx, Ordinary) != nil {
			return n
		}
	}
	return 1000
}

// A caller that comes just as a pause ends must not stop the timer of those
// who wait, and leave all of them waiting for ever. Real time on purpose: it
// takes a timer that is due and has not run.
func TestPauseEndsForAll(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for range 20 {
		q := NewQueue(nil, time.Minute)
		q.window.state = silent
		end := time.Now().Add(2 * time.Millisecond)
		q.pause.until, q.pause.resume = end, end
		done := make(chan error, 1)
		go func() { done <- q.Wait(ctx, Ordinary) }()
		for time.Now().Before(end) {
			continue // it spins so as to be there at the moment
		}
		require.NoError(t, q.Wait(ctx, Ordinary))
		require.NoError(t, <-done)
	}
}

// A later 429 that asks for less does not cut a pause short.
func TestPauseIsNotCutShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := NewQueue(nil, time.Minute)
		start := time.Now()
		q.window.inFlight = 2
		q.Observe(Outcome{Sent: true, Answered: true, RetryAfter: 30 * time.Second})
		q.Observe(Outcome{Sent: true, Answered: true, RetryAfter: 2 * time.Second})
		require.NoError(t, q.Wait(t.Context(), Ordinary))
		require.Equal(t, 30*time.Second, time.Since(start))
	})
}

// First come, first served: in a lane, and the lane of those that others wait for
// before the ordinary one.
func TestOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := NewQueue(&Plan{PerMinute: 60, Burst: 1}, time.Hour)
		require.NoError(t, q.Wait(t.Context(), Ordinary))
		q.Observe(Outcome{Sent: true, Answered: true})
		var order []int
		var mu sync.Mutex
		var wg sync.WaitGroup
		join := func(n int, lane Lane) {
			wg.Go(func() {
				if err := q.Wait(t.Context(), lane); err != nil {
					t.Error(err)
				}
				mu.Lock()
				order = append(order, n)
				mu.Unlock()
			})
			synctest.Wait()
		}
		for n := range 20 {
			join(n, Ordinary)
		}
		join(100, Ahead)
		join(101, Ahead)
		wg.Wait()
		require.Equal(t, []int{100, 101, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19}, order)
	})
}

// Who comes at the moment at which the first in the queue may go does not
// overtake it.
func TestNewcomerDoesNotOvertakeTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := NewQueue(&Plan{PerMinute: 60, Burst: 1}, time.Minute)
		require.NoError(t, q.Wait(t.Context(), Ordinary))
		q.Observe(Outcome{Sent: true, Answered: true})
		first := make(chan error, 1)
		go func() { first <- q.Wait(t.Context(), Ordinary) }()
		synctest.Wait()
		q.timer.Stop() // as if it were late
		time.Sleep(time.Second)
		start := time.Now()
		require.NoError(t, q.Wait(t.Context(), Ordinary))
		require.Equal(t, time.Second, time.Since(start), "it had the turn after")
		require.NoError(t, <-first)
	})
}

// A caller whose context ends at the moment at which it is let go gives its
// place back.
func TestLeavingGivesThePlaceBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := NewQueue(nil, time.Hour)
		require.NoError(t, q.Wait(t.Context(), Ordinary))
		q.Observe(reported(3, 1, time.Minute))
		require.NoError(t, q.Wait(t.Context(), Ordinary))
		late := &waiter{lane: Ordinary, ready: make(chan error, 1)}
		q.mu.Lock()
		late.place = q.lanes[Ordinary].PushBack(late)
		q.mu.Unlock()
		q.Observe(Outcome{}) // it never left
		require.Len(t, late.ready, 1, "late has been let go")
		q.leave(late)
		require.Equal(t, 1, places(t, q))
	})
}

// Who comes with a context that has ended takes no place, though there is one.
func TestEndedCtxTakesNoPlace(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	q := NewQueue(&Plan{PerMinute: 1, Burst: 1}, 0)
	require.ErrorIs(t, q.Wait(ended, Ordinary), context.Canceled)
	require.NoError(t, q.Wait(t.Context(), Ordinary))
}

// A request that never left costs nothing: neither a place of the window, nor one
// of the plan.
func TestUnsentRequestCostsNothing(t *testing.T) {
	for _, plan := range []*Plan{nil, {PerMinute: 10, Burst: 10}} {
		synctest.Test(t, func(t *testing.T) {
			q := NewQueue(plan, time.Hour)
			require.NoError(t, q.Wait(t.Context(), Ordinary))
			q.Observe(reported(10, 9, time.Minute))
			for range 50 {
				require.NoError(t, q.Wait(t.Context(), Ordinary))
				q.Observe(Outcome{})
			}
			require.Equal(t, 9, places(t, q))
		})
	}
}

// A refusal says how long the wait would be, whether the context or the queue's
// patience forced it.
func TestRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := NewQueue(nil, 10*time.Second)
		require.NoError(t, q.Wait(t.Context(), Ordinary))
		q.Observe(reported(60, 0, time.Minute))
		wait := time.Until(q.turn(time.Now(), 0))
		require.InDelta(t, 60, wait.Seconds(), 1)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		require.Equal(t, &Refusal{Wait: wait}, q.Wait(t.Context(), Ordinary))
		require.Equal(t, &Refusal{Wait: wait, Err: context.DeadlineExceeded}, q.Wait(ctx, Ordinary))
		require.Equal(t, q.Wait(ctx, Ahead), q.Check(ctx, Ahead))
	})
}

// Those who wait are refused as soon as an answer shows that their wait is too
// long.
func TestReportRefusesThoseWhoWait(t *testing.T) {
	for name, o := range map[string]func() Outcome{
		"another window is used up": func() Outcome { return reported(10, 0, 70*time.Second) },
		"a 429":                     func() Outcome { return Outcome{Sent: true, Answered: true, RetryAfter: 30 * time.Second} },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := NewQueue(nil, time.Hour)
				require.NoError(t, q.Wait(t.Context(), Ordinary))
				done := make(chan error)
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				go func() { done <- q.Wait(ctx, Ordinary) }()
				synctest.Wait()
				q.Observe(o())
				start := time.Now()
				var refusal *Refusal
				require.ErrorAs(t, <-done, &refusal)
				require.Zero(t, time.Since(start))
				require.Greater(t, refusal.Wait, 20*time.Second)
			})
		})
	}
}

// As long as anyone waits a timer runs, though all depends on answers that are on
// their way: an answer that is never observed leaves no one waiting for ever.
func TestSomeTimerAlwaysRuns(t *testing.T) {
	for name, first := range map[string]func() Outcome{
		"nothing is known":       nil,
		"all has been let go":    func() Outcome { return reported(5, 2, time.Minute) },
		"the quota says nothing": func() Outcome { return Outcome{Sent: true, Answered: true, RetryAfter: time.Second} },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := NewQueue(nil, time.Hour)
				if first != nil {
					require.NoError(t, q.Wait(t.Context(), Ordinary))
					q.Observe(first())
				}
				for range 30 {
					require.NoError(t, q.Wait(t.Context(), Ordinary))
				}
				require.GreaterOrEqual(t, q.unanswered(), 2)
			})
		})
	}
}

// Joining and leaving take the same time at any length of the queue: if they
// took time with its length, this would take minutes.
func TestHundredThousandCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const callers = 100_000
		q := NewQueue(nil, 24*time.Hour)
		require.NoError(t, q.Wait(t.Context(), Ordinary))
		q.Observe(reported(callers/2, 0, time.Minute))
		ctx, cancel := context.WithCancel(t.Context())
		var served, left sync.WaitGroup
		for range callers / 2 {
			served.Go(func() {
				if q.Wait(t.Context(), Ordinary) != nil {
					t.Error("refused")
				}
				q.Observe(lost)
			})
			left.Go(func() {
				if !errors.Is(q.Wait(ctx, Ordinary), context.Canceled) {
					t.Error("not canceled")
				}
			})
		}
		synctest.Wait()
		require.Equal(t, callers, q.ahead(Ordinary))
		cancel()
		left.Wait()
		require.Equal(t, callers/2, q.ahead(Ordinary))
		served.Wait()
	})
}
