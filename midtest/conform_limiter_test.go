package midtest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/mobid-io/mid-go"
)

var limiterFaults = map[string]planted{
	"a limiter that refuses the first":        {faultyLimiter, "requests go while there is quota", "there is quota left"},
	"a limiter that forgets a 429":            {faultyLimiter, "a 429 pauses all callers", "a 429 asked for a pause of 1s"},
	"a limiter that pauses only one":          {faultyLimiter, "a 429 pauses all callers", "a 429 asked for a pause of 1s"},
	"a limiter that forgets Reset":            {faultyLimiter, "Remaining 0 holds until Reset", "nothing was left until Reset of 1s"},
	"a limiter that waits for a report":       {faultyLimiter, "requests go after Reset whatever was reported", "hold no request back for ever"},
	"a limiter that leaks places":             {faultyLimiter, "a request that was not sent gives its place back", "a request that was not sent is free again"},
	"a limiter that blocks past its ctx":      {faultyLimiter, "Wait returns when its ctx ends", "Wait has not returned when its ctx ended"},
	"a limiter that never looks at its ctx":   {faultyLimiter, "Wait returns an error when its ctx has ended", "Wait returned no error, but its ctx has ended"},
	"a limiter that waits till the deadline":  {faultyLimiter, "a wait that cannot end in time fails at once", "fails at once"},
	"a limiter that refuses without a reason": {faultyLimiter, "a wait that cannot end in time fails at once", "matches context.DeadlineExceeded or ErrRateLimited"},
	"a limiter whose Observe blocks":          {faultyLimiter, "a 429 pauses all callers", "Observe has not returned"},
}

func faultyLimiter(t *testing.T, mistake string) {
	t.Helper()
	TestLimiter(t, func(*testing.T) mid.Limiter {
		return &plantedLimiter{mistake: mistake, left: 1000}
	})
}

// plantedLimiter is a Limiter with one mistake, or without if it is "".
type plantedLimiter struct {
	mistake string
	mu      sync.Mutex
	left    int
	limit   int
	reset   time.Time
	paused  time.Time
}

func (l *plantedLimiter) has(mistake string) bool { return l.mistake == "a limiter "+mistake }

// next is when a request may go, and the zero time if it has gone.
func (l *plantedLimiter) next() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if !l.reset.IsZero() && !now.Before(l.reset) && !l.has("that waits for a report") {
		l.left, l.reset = l.limit, time.Time{}
	}
	switch {
	case now.Before(l.paused):
		until := l.paused
		if l.has("that pauses only one") {
			l.paused = time.Time{}
		}
		return until
	case l.left > 0:
		l.left--
		return time.Time{}
	case now.Before(l.reset):
		return l.reset
	}
	return now.Add(time.Hour)
}

func (l *plantedLimiter) Wait(ctx context.Context) error {
	if l.has("that refuses the first") {
		return mid.ErrRateLimited
	}
	for {
		if err := ctx.Err(); err != nil && !l.has("that never looks at its ctx") {
			return err
		}
		next := l.next()
		if next.IsZero() {
			return nil
		}
		if deadline, ok := ctx.Deadline(); ok && next.After(deadline) {
			switch {
			case l.has("that refuses without a reason"):
				return mid.ErrConflict
			case !l.has("that waits till the deadline"):
				return &mid.RateLimitError{RetryAfter: time.Until(next), Err: context.DeadlineExceeded}
			}
		}
		if l.has("that blocks past its ctx") {
			time.Sleep(time.Until(next))
			continue
		}
		select {
		case <-time.After(time.Until(next)):
		case <-ctx.Done():
		}
	}
}

func (l *plantedLimiter) Observe(o mid.RequestOutcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.has("whose Observe blocks") && o.RetryAfter > 0 {
		time.Sleep(2 * patience)
	}
	if !o.Sent && !l.has("that leaks places") {
		l.left++
	}
	if o.RateLimit != (mid.RateLimit{}) && !l.has("that forgets Reset") {
		l.left, l.limit, l.reset = o.RateLimit.Remaining, o.RateLimit.Limit, o.RateLimit.Reset
	}
	if o.RetryAfter > 0 && !l.has("that forgets a 429") {
		l.paused = time.Now().Add(o.RetryAfter)
	}
}
