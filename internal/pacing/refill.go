package pacing

import (
	"math/rand/v2"
	"time"
)

// refill is the bucket that a server keeps, as far as its answers show it.
//
// In a bucket, Reset is the time at which it will be full: the tokens that are
// missing come in until then. Each report therefore shows the interval of the
// tokens. In a window, Reset has another meaning, and the reports soon contradict
// each other.
type refill struct {
	bucket
	// The interval is in these bounds. slowest is zero as long as no report says
	// anything of it.
	slowest, fastest time.Duration
	trusted          time.Time // from here on

	// What shows of other clients that use it.
	crowd   int           // how many there seem to be, beside one
	changed time.Time     // when crowd did
	late    time.Duration // how long after a token has come in it is used
}

const (
	// distrustFor is how long a server that refused what its bucket should have had
	// room for is taken to count by windows.
	distrustFor = 10 * time.Minute
	// reserve is what a client leaves in the bucket at least. Another client that uses
	// the same quota finds it, whenever it asks, and the answers then show each of them
	// that it is not the only one. Without it the one that asks first at every refill
	// would have everything.
	reserve = 1
	// smallBucket is too small for a reserve.
	smallBucket = 10
	// A crowd is smaller if nothing is refused for as long as calmAfter tokens take to
	// come in, and for calmAtLeast.
	calmAfter, calmAtLeast = 20, 5 * time.Second
)

// note reads a report; date is when it was made. Both its times may be rounded
// to a second, and the tokens are rounded down.
func (r *refill) note(q Quota, date time.Time) {
	used, span := q.Limit-q.Remaining, q.Reset.Sub(date)
	if used > 1 {
		slowest := (span + time.Second) / time.Duration(used-1)
		if r.slowest == 0 || slowest < r.slowest {
			r.slowest = slowest
		}
	}
	if used > 0 {
		r.fastest = max(r.fastest, (span-2*time.Second)/time.Duration(used))
	}
}

// fits reports whether all reports are those of one bucket.
func (r *refill) fits(now time.Time) bool {
	return r.slowest > 0 && r.fastest <= r.slowest && !now.Before(r.trusted)
}

// free is how many may go now if some are in flight.
func (r *refill) free(inFlight int, now time.Time) int {
	return r.tokens(now.Add(-r.late)) - inFlight - r.reserve()
}

// next is when, after n others, one more may go if some are in flight.
func (r *refill) next(n, inFlight int, now time.Time) time.Time {
	return r.holds(inFlight+n+1+r.reserve(), now).Add(r.late)
}

func (r *refill) reserve() int {
	if r.size < smallBucket {
		return 0
	}
	return reserve + r.crowd
}

// refused notes a refusal: there are more others than the reserve is for.
func (r *refill) refused(now time.Time) {
	r.crowd, r.changed = min(r.crowd+1, r.size/smallBucket), now
	r.late = rand.N(r.interval + 1)
}

// granted notes an answer that is no refusal. If there are no others for a while the
// crowd is smaller. Clients that went on in step would meet again at every token.
func (r *refill) granted(now time.Time) {
	if r.crowd == 0 {
		return
	}
	r.late = rand.N(r.interval + 1)
	if now.Sub(r.changed) > max(calmAfter*r.interval, calmAtLeast) {
		r.crowd, r.changed = r.crowd-1, now
	}
	if r.crowd == 0 {
		r.late = 0
	}
}

// fill makes the bucket hold what the server's does. Of the intervals that it may
// have the longest is taken: what comes in too late is in the next report.
func (r *refill) fill(q Quota, now time.Time) {
	r.size, r.interval = q.Limit, r.slowest
	r.set(q.Remaining, now)
}

// spend notes a request of this client's, which the same report may not count
// yet, beside what the report says.
func (r *refill) spend(remaining int, now time.Time) {
	r.pace(r.slowest, now)
	r.take(1, now)
	if r.tokens(now) > remaining {
		r.set(remaining, now)
	}
}
