package pacing

import (
	"container/list"
	"context"
	"sync"
	"time"
)

// Queue has callers wait for their turn, first come, first served. All stop at a
// 429 and go on together. Joining and leaving it takes the same time at any
// length.
type Queue struct {
	maxWait time.Duration

	mu     sync.Mutex
	window Window
	plan   *bucket // nil without a plan
	lanes  [2]list.List
	pause  pause
	timer  *time.Timer
}

// Lane is a part of the queue.
type Lane int

const (
	// Ahead is for requests that others wait for. They go first.
	Ahead Lane = iota
	// Ordinary is for all others.
	Ordinary
)

// waiter is one caller in the queue.
type waiter struct {
	lane     Lane
	place    *list.Element // nil when it has been let go or refused
	ready    chan error    // has room for one
	deadline time.Time     // the zero time if it has none
}

// NewQueue returns a queue that refuses waits that are longer than maxWait. plan
// may be nil.
func NewQueue(plan *Plan, maxWait time.Duration) *Queue {
	q := &Queue{maxWait: maxWait, window: Window{Patience: maxWait}}
	if plan != nil {
		q.plan = plan.bucket(time.Now())
		// A server that counts by windows has no burst, and one that keeps a
		// bucket has no more than that.
		q.window.expect(min(plan.PerMinute, plan.Burst), time.Minute)
	}
	return q
}

// Wait returns nil when it is the caller's turn: its request must then be
// observed. The error is the context's, or a [*Refusal] at once.
func (q *Queue) Wait(ctx context.Context, lane Lane) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.mu.Lock()
	now := time.Now()
	if q.ahead(lane) == 0 && q.open(now) {
		q.take(now)
		q.mu.Unlock()
		return nil
	}
	w := &waiter{lane: lane, ready: make(chan error, 1)}
	w.deadline, _ = ctx.Deadline()
	if err := q.refusal(now, w.deadline, q.ahead(lane)); err != nil {
		q.mu.Unlock()
		return err
	}
	w.place = q.lanes[lane].PushBack(w)
	q.dispatch(now)
	q.mu.Unlock()

	select {
	case err := <-w.ready:
		return err
	case <-ctx.Done():
		q.leave(w)
		return ctx.Err()
	}
}

// Check returns the refusal that Wait would return for ctx now, if any.
func (q *Queue) Check(ctx context.Context, lane Lane) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	deadline, _ := ctx.Deadline()
	return q.refusal(time.Now(), deadline, q.ahead(lane))
}

// Observe notes the end of a request that Wait let go.
func (q *Queue) Observe(o Outcome) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	if !o.Sent && q.plan != nil {
		q.plan.back()
	}
	later := q.window.Observe(o, now)
	if o.RetryAfter > 0 {
		later = q.pause.extend(o.RetryAfter, q.maxWait, now) || later
	}
	if later {
		q.judge(now)
	}
	q.dispatch(now)
}

// Quota is what the server reports, less what is in flight: what may go now.
func (q *Queue) Quota() Quota {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	quota := q.window.Quota(now)
	if q.pause.on(now) {
		quota.Remaining = 0
	}
	return quota
}

// ahead is how many callers go before one that joins a lane.
func (q *Queue) ahead(lane Lane) (n int) {
	for l := Ahead; l <= lane; l++ {
		n += q.lanes[l].Len()
	}
	return n
}

// open reports whether one more request may go now.
func (q *Queue) open(now time.Time) bool {
	return !q.pause.on(now) && (q.plan == nil || q.plan.tokens(now) > 0) && q.window.room(now) > 0
}

func (q *Queue) take(now time.Time) {
	if q.plan != nil {
		q.plan.take(1, now)
	}
	q.window.Take()
}

// leave takes a caller out of the queue whose context has ended.
func (q *Queue) leave(w *waiter) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if w.place != nil {
		q.remove(w)
	} else if <-w.ready == nil { // it was let go at the same moment
		if q.plan != nil {
			q.plan.back()
		}
		q.window.back()
	}
	q.dispatch(time.Now())
}

func (q *Queue) remove(w *waiter) {
	q.lanes[w.lane].Remove(w.place)
	w.place = nil
}

func (q *Queue) first() *waiter {
	for l := range q.lanes {
		if e := q.lanes[l].Front(); e != nil {
			return e.Value.(*waiter)
		}
	}
	return nil
}

// dispatch lets go those at the head of the queue whose turn has come, and has
// itself called when that of the next one may have.
func (q *Queue) dispatch(now time.Time) {
	w := q.first()
	for ; w != nil && q.open(now); w = q.first() {
		q.remove(w)
		q.take(now)
		w.ready <- nil
	}
	if w == nil {
		if q.timer != nil {
			q.timer.Stop()
		}
		return
	}
	// As long as anyone waits a timer runs, whatever answers are on their way.
	wait := max(q.wake(now).Sub(now), time.Millisecond)
	if q.timer == nil {
		q.timer = time.AfterFunc(wait, q.tick)
		return
	}
	q.timer.Reset(wait)
}

func (q *Queue) tick() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.dispatch(time.Now())
}

// wake is when the next one may go, if no answer comes before.
func (q *Queue) wake(now time.Time) time.Time {
	if q.pause.on(now) {
		return q.pause.resume
	}
	if q.plan != nil && q.plan.tokens(now) <= 0 {
		return q.plan.holds(1, now)
	}
	return q.window.wake(now)
}

// judge refuses those whose wait has become too long.
func (q *Queue) judge(now time.Time) {
	ahead := 0
	for l := range q.lanes {
		for e := q.lanes[l].Front(); e != nil; {
			w := e.Value.(*waiter)
			e = e.Next()
			if err := q.refusal(now, w.deadline, ahead); err != nil {
				q.remove(w)
				w.ready <- err
				continue
			}
			ahead++
		}
	}
}

// refusal is the error for a caller with others ahead of it whose wait can't end
// in time.
func (q *Queue) refusal(now, deadline time.Time, ahead int) error {
	at := q.turn(now, ahead)
	wait := at.Sub(now)
	switch {
	case wait <= 0:
		return nil
	case !deadline.IsZero() && !at.Before(deadline):
		return &Refusal{Wait: wait, Err: context.DeadlineExceeded}
	case wait > q.maxWait:
		return &Refusal{Wait: wait}
	}
	return nil
}

// turn is when a caller with others ahead of it may send.
func (q *Queue) turn(now time.Time, ahead int) time.Time {
	at := q.window.at(ahead, now)
	if q.plan != nil {
		at = latest(at, q.plan.holds(ahead+1, now))
	}
	if q.pause.on(now) {
		at = latest(at, q.pause.until)
	}
	return at
}
