package midtest

import (
	"time"

	"github.com/mobid-io/mid-go"
)

// bucket is the token bucket of a plan. The time at which it is full is its
// only state, so that it counts exactly: a request puts that time off by an
// interval.
type bucket struct {
	burst    int
	interval time.Duration // in which one token comes in
	full     time.Time
}

func newBucket(p mid.Plan) *bucket {
	return &bucket{burst: p.Burst, interval: time.Minute / time.Duration(p.RequestsPerMinute)}
}

func (b *bucket) take(at time.Time) allowance {
	if b.full.Before(at) {
		b.full = at
	}
	capacity := time.Duration(b.burst) * b.interval
	room := capacity - b.full.Sub(at)
	granted := room >= b.interval
	if granted {
		b.full = b.full.Add(b.interval)
		room -= b.interval
	}
	return allowance{
		granted:    granted,
		limit:      b.burst,
		remaining:  int(room / b.interval),
		reset:      b.full,
		retryAfter: b.interval - room,
	}
}
