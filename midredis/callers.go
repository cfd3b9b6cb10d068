package midredis

import (
	"container/list"
	"context"
	"time"

	"github.com/mobid-io/mid-go"
)

// callers are those that wait, the first to come first.
type callers struct{ list list.List }

// caller is one of them.
type caller struct {
	place    *list.Element // nil when it has been let go or refused
	ready    chan error    // has room for one
	deadline time.Time     // the zero time if it has none
}

func (c *callers) len() int { return c.list.Len() }

func (c *callers) join(ctx context.Context) *caller {
	w := &caller{ready: make(chan error, 1)}
	w.deadline, _ = ctx.Deadline()
	w.place = c.list.PushBack(w)
	return w
}

// answer ends a caller's wait.
func (c *callers) answer(w *caller, err error) {
	c.remove(w)
	w.ready <- err
}

func (c *callers) remove(w *caller) {
	c.list.Remove(w.place)
	w.place = nil
}

// letGo lets the first go. There must be one.
func (c *callers) letGo() { c.answer(c.list.Front().Value.(*caller), nil) }

// judge refuses those whose wait can't end in time, or within longest. turn is when
// the i-th may go.
func (c *callers) judge(now time.Time, longest time.Duration, quota mid.RateLimit, turn func(i int) time.Time) {
	i := 0
	for e := c.list.Front(); e != nil; {
		w := e.Value.(*caller)
		e = e.Next()
		at := turn(i)
		wait := at.Sub(now)
		refusal := &mid.RateLimitError{RetryAfter: wait, RateLimit: quota}
		switch {
		case wait > 0 && !w.deadline.IsZero() && at.After(w.deadline):
			refusal.Err = context.DeadlineExceeded
		case wait > longest:
		default:
			i++
			continue
		}
		c.answer(w, refusal)
	}
}
