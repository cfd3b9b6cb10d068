package mid

import (
	"context"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// limiter is the client's own [Limiter]: a queue, first come, first served, in
// front of a budget. All callers stop at a 429 and go on together.
type limiter struct {
	maxWait time.Duration // a longer wait is refused at once
	budget  budget

	mu     sync.Mutex
	queue  []*waiter
	paused time.Time // nobody sends before
	timer  *time.Timer
	last   RateLimit
}

// waiter is one caller in the queue.
type waiter struct {
	ready    chan error // has room for one
	deadline time.Time  // the zero time: none
}

func newLimiter(plan *Plan, maxWait time.Duration) *limiter {
	l := &limiter{maxWait: maxWait, budget: new(windowBudget)}
	if plan != nil {
		perSecond := rate.Limit(float64(plan.RequestsPerMinute) / 60)
		l.budget = &planBudget{bucket: rate.NewLimiter(perSecond, plan.Burst)}
	}
	return l
}

// Wait returns when it is the caller's turn.
func (l *limiter) Wait(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.mu.Lock()
	now := time.Now()
	if len(l.queue) == 0 && !now.Before(l.paused) && l.budget.take(now) {
		l.mu.Unlock()
		return nil
	}
	w := &waiter{ready: make(chan error, 1)}
	w.deadline, _ = ctx.Deadline()
	if err := l.refusal(now, w.deadline, len(l.queue)); err != nil {
		l.mu.Unlock()
		return err
	}
	l.queue = append(l.queue, w)
	l.dispatch(now)
	l.mu.Unlock()

	select {
	case err := <-w.ready:
		return err
	case <-ctx.Done():
		l.leave(w)
		return ctx.Err()
	}
}

// check is the refusal that Wait would have for ctx now, if any.
func (l *limiter) check(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	deadline, _ := ctx.Deadline()
	return l.refusal(time.Now(), deadline, len(l.queue))
}

// Observe is told of the end of each request that Wait let go.
func (l *limiter) Observe(limit RateLimit, retryAfter time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if limit != (RateLimit{}) {
		l.last = limit
	}
	l.budget.observe(now, limit)
	if until := now.Add(retryAfter); retryAfter > 0 && until.After(l.paused) {
		l.paused = until
	}
	l.dispatch(now)
}

// leave takes a caller out of the queue whose context has ended.
func (l *limiter) leave(w *waiter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if i := slices.Index(l.queue, w); i >= 0 {
		l.queue = slices.Delete(l.queue, i, i+1)
	} else if <-w.ready == nil { // it was let go at the same moment
		l.budget.refund()
	}
	l.dispatch(now)
}

// dispatch lets go those at the head of the queue whose turn has come, and
// refuses those whose wait has become too long.
func (l *limiter) dispatch(now time.Time) {
	for len(l.queue) > 0 && !now.Before(l.paused) && l.budget.take(now) {
		l.queue[0].ready <- nil
		l.queue[0] = nil
		l.queue = l.queue[1:]
	}
	kept := l.queue[:0]
	for _, w := range l.queue {
		if err := l.refusal(now, w.deadline, len(kept)); err != nil {
			w.ready <- err
			continue
		}
		kept = append(kept, w)
	}
	clear(l.queue[len(kept):])
	l.queue = kept
	l.arm(now)
}

// refusal is the error for a caller with ahead others before it whose wait
// can't end in time.
func (l *limiter) refusal(now, deadline time.Time, ahead int) error {
	at := l.turn(now, ahead)
	wait := at.Sub(now)
	switch {
	case wait <= 0:
		return nil
	case !deadline.IsZero() && !at.Before(deadline):
		return &RateLimitError{RetryAfter: wait, RateLimit: l.last, Err: context.DeadlineExceeded}
	case wait > l.maxWait:
		return &RateLimitError{RetryAfter: wait, RateLimit: l.last}
	}
	return nil
}

// turn tells when a caller with ahead others before it may send.
func (l *limiter) turn(now time.Time, ahead int) time.Time {
	at := l.budget.at(now, ahead)
	if at.Before(l.paused) {
		return l.paused
	}
	return at
}

// arm has dispatch called when the turn of the first in the queue comes.
// Without anybody waiting no timer runs.
func (l *limiter) arm(now time.Time) {
	if l.timer != nil {
		l.timer.Stop()
	}
	if len(l.queue) == 0 {
		return
	}
	wait := l.turn(now, 0).Sub(now)
	if wait <= 0 { // answers on their way decide
		return
	}
	if l.timer == nil {
		l.timer = time.AfterFunc(wait, func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.dispatch(time.Now())
		})
		return
	}
	l.timer.Reset(wait)
}
