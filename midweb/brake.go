package midweb

import (
	"sync"
	"time"

	"github.com/mobid-io/mid-go"
)

// Brake bounds what people who have not signed in may cost the account. Its
// zero value is a brake with good defaults.
//
// A start over a bound is answered 429, with a page that tries again by itself
// after a second. Half of each bound is kept for browsers that come back in that
// way, so that a program that only posts leaves room for people.
type Brake struct {
	// PerAddress is how many sign-ins one address may begin a minute. IPv6
	// addresses count by their /64. If zero, it is 20. If negative, there is no
	// bound. It is never more than half of what all addresses may begin together.
	PerAddress int
	// Share is the part of the client's quota that all sign-ins may use, from 0 to
	// 1. If zero, it is a half, which is enough for 83 sign-ins a minute with a
	// quota of 1,000 requests a minute. The quota is that of
	// [mid.Client.RateLimit]. Its Remaining counts too, so that processes that
	// share an account keep to the share together.
	Share float64
	// TrustedProxies is how many proxies before the site append the address of
	// their client to X-Forwarded-For. If zero, the header is ignored. If it is too
	// high, a client can choose its own address. If it is too low, all people
	// count as one address.
	TrustedProxies int
}

const (
	defaultPerAddress = 20
	defaultShare      = 0.5
	// A sign-in costs three requests and its looks, which get half of the share.
	startCost = 6
	// looksPerAddress is how many sessions an address may have this process begin
	// to follow a minute, but for those that it has just begun.
	looksPerAddress = 30
	// fewest starts a minute are allowed under the smallest quota, too.
	fewest = 4
	// tightPause is between looks while the account has nothing to spare.
	tightPause = 10 * time.Second
	// stale is when a quota that no answer has renewed says nothing any more.
	stale = time.Minute
	// sweepPause is between two sweeps of the places where nothing happened.
	sweepPause = time.Minute
)

// brake applies a Brake to the sign-ins of this process.
type brake struct {
	Brake
	quota func() mid.RateLimit

	mu     sync.Mutex
	all    bucket
	looks  bucket
	places map[string]*bucket
	swept  time.Time
	seen   mid.RateLimit
	since  time.Time // when seen was first seen
}

func newBrake(b Brake, quota func() mid.RateLimit) *brake {
	if b.PerAddress == 0 {
		b.PerAddress = defaultPerAddress
	}
	if b.Share == 0 {
		b.Share = defaultShare
	}
	return &brake{Brake: b, quota: quota, places: make(map[string]*bucket)}
}

// admit reports whether a sign-in may begin at a place. If ticket is not empty,
// the browser has waited for its turn: it may use the half that is kept, once
// for each ticket.
func (b *brake) admit(place, ticket string) bool {
	now, quota := time.Now(), b.quota()
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.spare(quota, now) {
		return false
	}
	kept := 0.5
	if ticket != "" {
		kept = 0
	}
	// The bound of all comes first: behind it, no flood makes many places.
	all := b.share(quota) / startCost
	if !b.all.has(now, max(all, fewest), kept) {
		return false
	}
	b.forget(now)
	taken := []*bucket{&b.all}
	if b.PerAddress > 0 {
		address := b.place(place)
		if !address.has(now, max(min(float64(b.PerAddress), all/2), fewest), kept) {
			return false
		}
		taken = append(taken, address)
	}
	if ticket != "" {
		once := b.place("ticket " + ticket)
		if !once.has(now, 1, 0) {
			return false
		}
		taken = append(taken, once)
	}
	for _, k := range taken {
		k.used++
	}
	return true
}

// look reports whether a place may have this process begin to follow one more
// session, which takes a look at once.
func (b *brake) look(place string) bool {
	now, quota := time.Now(), b.quota()
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.looks.has(now, max(b.share(quota)/startCost, fewest), 0) {
		return false
	}
	b.forget(now)
	if b.PerAddress > 0 {
		address := b.place("look " + place)
		if !address.has(now, looksPerAddress, 0) {
			return false
		}
		address.used++
	}
	b.looks.used++
	return true
}

// pace returns the pause until one of n pollers may look again, which is own
// unless the share is too small for that.
func (b *brake) pace(n int, own time.Duration) time.Duration {
	quota := b.quota()
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.spare(quota, time.Now()) {
		own = max(own, tightPause)
	}
	perMinute := b.share(quota) / 2
	return max(own, time.Duration(float64(n)/perMinute*float64(time.Minute)))
}

// share is what sign-ins may use, in requests a minute. Before the first answer
// the smallest plan has to do.
func (b *brake) share(quota mid.RateLimit) float64 {
	limit := quota.Limit
	if limit <= 0 {
		limit = mid.PlanSandbox.RequestsPerMinute
	}
	return b.Share * float64(limit)
}

// spare reports whether the account can spare requests for sign-ins: whether
// more is left of the window than belongs to all the other calls until its end.
// If those are evenly spread, that is so while the sign-ins of all processes
// have used less than their share.
func (b *brake) spare(quota mid.RateLimit, now time.Time) bool {
	if quota != b.seen {
		b.seen, b.since = quota, now
	}
	if quota.Limit <= 0 || !now.Before(quota.Reset) || now.Sub(b.since) > stale {
		return true // nothing is known of this window
	}
	left := min(quota.Reset.Sub(now).Minutes(), 1)
	return float64(quota.Remaining) > (1-b.Share)*float64(quota.Limit)*left
}

func (b *brake) place(name string) *bucket {
	p := b.places[name]
	if p == nil {
		p = &bucket{}
		b.places[name] = p
	}
	return p
}

// forget drops the places where nothing happened of late: their buckets are
// empty again.
func (b *brake) forget(now time.Time) {
	if now.Sub(b.swept) < sweepPause {
		return
	}
	b.swept = now
	for name, p := range b.places {
		if now.Sub(p.at) > sweepPause {
			delete(b.places, name)
		}
	}
}

// bucket counts what has begun of late. What it counts leaks away.
type bucket struct {
	used float64
	at   time.Time
}

// has reports whether one more may begin, if as many as rate may in a minute or
// at once, and a part of that is kept for others.
func (k *bucket) has(now time.Time, rate, kept float64) bool {
	k.used = max(k.used-now.Sub(k.at).Minutes()*rate, 0)
	k.at = now
	return k.used+1 <= rate*(1-kept)
}
