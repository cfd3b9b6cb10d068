package pacing

import "time"

// bucket holds tokens, one for each request. One comes in every interval until it
// is full. The time at which it is full is its only state, so that it counts
// exactly: a request puts that time off by an interval.
type bucket struct {
	size     int
	interval time.Duration
	full     time.Time
}

// tokens is how many are in it.
func (b *bucket) tokens(now time.Time) int {
	missing := max(b.full.Sub(now), 0)
	return b.size - int((missing+b.interval-1)/b.interval)
}

// take takes n out, which may be more than are in it.
func (b *bucket) take(n int, now time.Time) {
	if b.full.Before(now) {
		b.full = now
	}
	b.full = b.full.Add(time.Duration(n) * b.interval)
}

// back puts one back that was taken.
func (b *bucket) back() { b.full = b.full.Add(-b.interval) }

// set makes it hold n.
func (b *bucket) set(n int, now time.Time) {
	b.full = now.Add(time.Duration(b.size-n) * b.interval)
}

// pace sets the interval; what is in the bucket stays.
func (b *bucket) pace(interval time.Duration, now time.Time) {
	missing := max(b.full.Sub(now), 0)
	b.full = now.Add(time.Duration(float64(missing) / float64(b.interval) * float64(interval)))
	b.interval = interval
}

// holds is when it holds n: now or before, if it does already.
func (b *bucket) holds(n int, now time.Time) time.Time {
	full := b.full
	if full.Before(now) {
		full = now
	}
	return full.Add(time.Duration(n-b.size) * b.interval)
}
