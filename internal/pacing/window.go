package pacing

import (
	"math"
	"time"
)

// Window is the account of a quota by what the answers report. What a report
// leaves, less what is in flight, may go; then nothing may until Reset.
//
// A window is known by its Reset, by the server's own clock. A later Reset is
// another window, or that of a bucket, in which every request puts off the time
// at which it is full again. These are the states, and what leads from one to
// the next:
//
//	state      what may go             what happens                           next state
//	asking     a few, see inquiry      an answer reports a quota              counting
//	                                   an answer reports nothing              silent
//	silent     everything              an answer reports a quota              counting
//	counting   what is left            Reset has passed, or is too far away   asking
//	                                   all reports fit one bucket, and Reset
//	                                   moves before its time, or much is used
//	                                   just after it, or a 429 asks to wait
//	                                   for less                               refilling
//	refilling  what is in the bucket   a report fits no bucket; a 429 that
//	           but a reserve           lasts until Reset                      counting
//	any                                a 429 that reports nothing; the
//	                                   server's clock was set                 asking
//
// It is not safe for concurrent use. The zero value is ready, and asks.
type Window struct {
	// Patience is how long a Reset that is further away than any published
	// plan's is believed without asking again.
	Patience time.Duration

	state  state
	quota  Quota         // the latest report
	lost   int           // requests that it may not count, and of which no report came
	date   time.Time     // when it was made, by the server's clock
	heard  time.Time     // when it came, by the local one
	limit  int           // what a window allows; zero if it is not known
	length time.Duration // of a window, as far as it is known

	inFlight int // any report may have been made before these were counted

	passed int // answers to pass over, to requests from before the clock was set

	clock   clock
	inquiry inquiry
	refill  refill
	share   share
}

type state int

const (
	asking state = iota
	silent
	counting
	refilling
)

// longestWindow is what a longer one is taken for; it is safe to calculate with.
const longestWindow = 24 * time.Hour

// expect makes known what the plan says of a window, before any answer does.
func (w *Window) expect(limit int, length time.Duration) { w.limit, w.length = limit, length }

// room is how many requests may go now.
func (w *Window) room(now time.Time) int {
	w.roll(now)
	switch w.state {
	case asking:
		return w.inquiry.room(w.limit, w.inFlight, now)
	case silent:
		return math.MaxInt
	case refilling:
		return w.refill.free(w.inFlight, now)
	default:
		return w.left()
	}
}

// left is what is left of a window, less what is in flight.
func (w *Window) left() int { return w.quota.Remaining - w.lost - w.inFlight }

// roll leaves a window that is over, or is not believed any more.
func (w *Window) roll(now time.Time) {
	switch w.state {
	case counting:
		if !now.Before(w.next()) {
			// What was left may go even if the window should not be over yet.
			w.ask(now, max(w.left(), 0))
		}
	case asking:
		switch {
		case w.inquiry.sent == 0:
			w.inquiry.since = latest(w.inquiry.since, now)
		case w.limit > 0 && !now.Before(w.inquiry.since.Add(w.length)):
			// No answer has come, and what was sent is of a window that is over.
			w.ask(now, 0)
		}
	case silent, refilling:
	}
}

// next is when a window is left.
func (w *Window) next() time.Time {
	next := w.clock.local(w.quota.Reset)
	if asks := w.heard.Add(w.Patience); w.far() && w.left() <= 0 && asks.Before(next) {
		return asks
	}
	return next.Add(w.share.pause(w.limit))
}

// far reports whether Reset is so far away that a mistake is more likely.
func (w *Window) far() bool { return w.quota.Reset.Sub(w.date) > farReset }

// ask begins to ask at a time. What is left may go then in any case.
func (w *Window) ask(at time.Time, left int) {
	w.state, w.inquiry = asking, inquiry{since: at, left: left}
}

// wake returns when there may be room, if there is no room now.
func (w *Window) wake(now time.Time) time.Time {
	switch w.state {
	case asking:
		more := w.inquiry.more(now)
		if over := w.inquiry.since.Add(w.length); w.limit > 0 && over.Before(more) {
			return over
		}
		return more
	case counting:
		return w.next()
	case refilling:
		return w.refill.next(0, w.inFlight, now)
	default:
		return now
	}
}

// at is when, after n others, one more request may go; now if answers that are
// on their way decide that.
func (w *Window) at(n int, now time.Time) time.Time {
	switch w.state {
	case counting:
		free := max(w.left(), 0)
		reset := w.clock.local(w.quota.Reset)
		if free > n || !reset.After(now) {
			return now
		}
		windows := min((n-free)/w.limit, 10_000) // more that have to pass
		return reset.Add(w.share.pause(w.limit)).Add(time.Duration(windows) * w.length)
	case refilling:
		return w.refill.next(n, w.inFlight, now)
	default:
		return now
	}
}

// Take counts a request that leaves.
func (w *Window) Take() {
	w.inFlight++
	w.share.ours++
	if w.state == asking {
		w.inquiry.sent++
	}
}

// Quota is the latest report, less what is in flight: what may go now.
func (w *Window) Quota(now time.Time) Quota {
	q := w.quota
	switch {
	case w.state == refilling:
		q.Remaining = w.refill.free(0, now)
	case w.state != silent && w.limit > 0 && !now.Before(w.clock.local(q.Reset)):
		q.Remaining = q.Limit // of the window that has begun since
	}
	q.Remaining = max(q.Remaining-w.inFlight, 0)
	return q
}

// Local returns the local time at which the server's clock shows t. It may be a
// second late, but is never early.
func (w *Window) Local(t time.Time) time.Time { return w.clock.local(t) }
