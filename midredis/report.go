package midredis

import (
	"time"

	"github.com/mobid-io/mid-go"
)

// sameReset is how far apart the ends of one window may seem.
const sameReset = 1500 * time.Millisecond

// report is what a process knows of the server's quota, and of its own requests,
// since it last asked Redis.
type report struct {
	quota mid.RateLimit // the latest; its zero value if there was none
	seen  time.Time     // when it came
	fresh bool          // Redis does not know it yet
	back  int           // permits that were not used
	mute  int           // answers that reported nothing
	pause time.Duration // of a 429
}

// note adds the outcome of a request that was sent. bucket says that the server is
// known to keep one.
func (r *report) note(o mid.RequestOutcome, bucket bool) {
	if o.RateLimit == (mid.RateLimit{}) {
		r.mute++
	} else {
		r.see(o.RateLimit, bucket)
	}
	r.pause = max(r.pause, o.RetryAfter)
}

// see keeps the latest of what answers report, which overtake each other. Each request
// puts the Reset of a bucket off, so that a later one is newer. That of a window may
// seem to move, and then the least that is left counts.
func (r *report) see(q mid.RateLimit, bucket bool) {
	switch apart := q.Reset.Sub(r.quota.Reset); {
	case r.quota == mid.RateLimit{} || apart > sameReset || bucket && apart > 0:
		r.quota = q
	case apart < -sameReset:
		return
	default:
		r.quota.Remaining = min(r.quota.Remaining, q.Remaining)
		if apart > 0 {
			r.quota.Reset = q.Reset
		}
	}
	r.seen, r.fresh = time.Now(), true
}

// urgent reports whether the other processes should know it soon: permits go back, a
// 429 came, an answer reported nothing, or little is left.
func (r *report) urgent() bool {
	return r.back > 0 || r.pause > 0 || r.mute > 0 || r.fresh && r.quota.Remaining < r.quota.Limit/5
}

// sent forgets what Redis knows now. The quota is kept: Redis may lose it.
func (r *report) sent() { *r = report{quota: r.quota, seen: r.seen} }

// again puts back what Redis may not have got. Permits that go back are not counted
// again: if Redis did get them, all could send more than the plan allows.
func (r *report) again(lost report) {
	r.mute += lost.mute
	r.pause = max(r.pause, lost.pause)
	r.fresh = r.fresh || lost.fresh
}
