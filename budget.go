package mid

import (
	"time"

	"golang.org/x/time/rate"
)

// budget says how many requests may go. It is used under the limiter's lock.
type budget interface {
	// take reports whether one more request may go now, and counts it.
	take(now time.Time) bool
	// refund takes back what a take counted, for a request that was not sent.
	refund()
	// at tells when, after n others, one more request may go; now if that
	// depends on answers that are on their way.
	at(now time.Time, n int) time.Time
	// observe is told of a request's end; limit is zero if nothing was told.
	observe(now time.Time, limit RateLimit)
}

// windowBudget follows the rate limit headers: in a window, what Remaining
// says, less what is in flight, may go. Until the first answer, and when
// nothing is told, it holds nobody up.
type windowBudget struct {
	known     bool
	limit     int
	remaining int           // by the latest answer of the window
	reset     time.Time     // the zero time: a new window has begun, no answer has told its end
	length    time.Duration // of a window, as far as answers have told
	inFlight  int           // taken in this window and not answered
	carried   int           // taken in an earlier window and not answered
	taken     int           // in this window

	// Servers count in two ways. In a bucket every request puts off the time
	// at which it is full again, which Reset then tells; a window ends when it
	// ends. The first account of the present Reset tells them apart.
	fixed bool
	first RateLimit
}

// sameWindow is how far two answers' accounts of one Reset may differ: its
// place on the local clock is known to a second, and gets better.
const sameWindow = 3 * time.Second / 2

// yield is how long a client that has used up a whole fixed window lets others
// begin the next: one that shares its quota unknowingly and was late for this
// window comes first then.
const yield = time.Second

func (b *windowBudget) take(now time.Time) bool {
	if !b.open(now) {
		return false
	}
	b.count()
	return true
}

// open reports whether one more request may go now.
func (b *windowBudget) open(now time.Time) bool {
	b.roll(now)
	return !b.known || b.remaining > b.inFlight
}

func (b *windowBudget) count() {
	b.inFlight++
	b.taken++
}

// roll begins a new window, in which the whole limit may be used, when the old
// one has ended. Where no answer is on its way to tell of the new one, one
// request is let go to ask.
func (b *windowBudget) roll(now time.Time) {
	if !b.known || now.Before(b.next()) {
		return
	}
	if !b.reset.IsZero() {
		b.remaining, b.reset, b.taken = b.limit, time.Time{}, 0
		// The server has counted what is still in flight, such as an upload.
		b.carried, b.inFlight = b.carried+b.inFlight, 0
	}
	if b.inFlight == 0 {
		b.remaining = max(b.remaining, 1)
	}
}

// next is when the client begins the next window: the later, the more of this
// one it has had.
func (b *windowBudget) next() time.Time {
	if !b.fixed || b.reset.IsZero() || b.limit == 0 {
		return b.reset
	}
	share := min(float64(b.taken)/float64(b.limit), 1)
	return b.reset.Add(time.Duration(share * float64(yield)))
}

func (b *windowBudget) refund() {
	b.end()
	b.taken--
}

// end notes that a request is not in flight any more: of an earlier window, as
// long as there are such.
func (b *windowBudget) end() {
	if b.carried > 0 {
		b.carried--
	} else {
		b.inFlight--
	}
}

func (b *windowBudget) at(now time.Time, n int) time.Time {
	next := b.next()
	free := max(b.remaining-b.inFlight, 0)
	if !b.known || free > n || now.After(next) {
		return now
	}
	windows := (n - free) / max(b.limit, 1) // more that have to pass
	return next.Add(time.Duration(windows) * b.length)
}

func (b *windowBudget) observe(now time.Time, limit RateLimit) {
	b.end()
	switch {
	case limit == (RateLimit{}):
		// No answer came, or it told nothing: the server may have counted it.
		b.remaining--
		return
	case !limit.Reset.After(now), b.reset.Sub(limit.Reset) > sameWindow:
		// It tells of a window that is over.
		return
	case b.reset.IsZero() || limit.Reset.Sub(b.reset) > sameWindow:
		if !b.reset.IsZero() || !b.known {
			b.taken = 1
		}
		b.known, b.limit, b.remaining, b.reset = true, limit.Limit, limit.Remaining, limit.Reset
	default:
		// Answers overtake each other: the lowest number is the latest.
		b.remaining = min(b.remaining, limit.Remaining)
		if b.fixed || limit.Reset.After(b.reset) {
			b.reset = limit.Reset
		}
	}
	b.length = max(b.length, limit.Reset.Sub(now))
	b.tellApart(limit)
}

// tellApart takes a Reset that stays where it is, while a tenth of the limit
// is used up, for the end of a fixed window.
func (b *windowBudget) tellApart(limit RateLimit) {
	// Answers overtake each other: the highest number is the first.
	if limit.Reset.Sub(b.first.Reset).Abs() > sameWindow || limit.Remaining > b.first.Remaining {
		b.first = limit
	}
	if b.first.Remaining-limit.Remaining > limit.Limit/10 {
		b.fixed = true
	}
}

// planBudget is the plan's token bucket, together with the window where the
// headers tell of a fixed one.
type planBudget struct {
	bucket *rate.Limiter
	window windowBudget
}

func (b *planBudget) take(now time.Time) bool {
	if b.window.fixed && !b.window.open(now) || !b.bucket.AllowN(now, 1) {
		return false
	}
	b.window.count()
	return true
}

// refund leaves the bucket as it is: one request of the quota stays unused.
func (b *planBudget) refund() { b.window.refund() }

func (b *planBudget) at(now time.Time, n int) time.Time {
	at := now
	if missing := float64(n+1) - b.bucket.TokensAt(now); missing > 0 {
		seconds := missing / float64(b.bucket.Limit())
		// Rounded up, for a token that is there but for a rounding error.
		at = now.Add(time.Duration(seconds*float64(time.Second)) + time.Microsecond)
	}
	if window := b.window.at(now, n); b.window.fixed && window.After(at) {
		return window
	}
	return at
}

func (b *planBudget) observe(now time.Time, limit RateLimit) { b.window.observe(now, limit) }
