package midredis

import (
	"context"
	"crypto/rand"
	mathrand "math/rand/v2"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/mobid-io/mid-go"
)

const (
	// leaseLife is how long an unused permit is kept before it goes back.
	leaseLife = 200 * time.Millisecond
	// reportAfter is the shortest time between the reports of a process that needs no
	// permits.
	reportAfter = 100 * time.Millisecond
	// heartbeat is how often a process asks Redis at least, so that its slow requests
	// stay counted.
	heartbeat = 2 * time.Second
	// maxLease is how many permits a process takes ahead of its callers.
	maxLease = 32
	// probe is the shortest pause before Redis is tried again when it has failed. The
	// pause is random, up to twice as long, so that processes do not return as one.
	probe = 250 * time.Millisecond
)

// Limiter is a [mid.Limiter] in Redis, made by [NewLimiter]. It is safe for
// concurrent use.
//
// Redis keeps the plan's bucket by its own clock. Each process takes its fair part of
// the permits, several at a time if it has many callers. Permits that no request uses
// go back. A process that had less than the others lately has up to twice its part
// until it has caught up. What one process learns from an answer's headers or a 429
// holds for all. Within a process it is first come, first served.
//
// While Redis fails, each process has its part of the plan's rate.
type Limiter struct {
	quota
	health  health
	maxWait time.Duration

	mu       sync.Mutex
	callers  callers
	permits  permits
	inFlight int
	used     int // permits since Redis was last asked
	report   report
	bucket   int64     // what Redis knows of the server
	pause    time.Time // until when a 429 stops this process
	retry    time.Time // when to ask again, if there was nothing
	free     time.Time // when the plan has another permit; the zero time if at once
	asked    time.Time
	heard    time.Time // when Redis answered last
	polls    int       // in a row, for want of an answer of the server
	asking   bool
	share    share
	running  bool
	kick     chan struct{} // has room for one
}

var _ mid.Limiter = (*Limiter)(nil)

// NewLimiter returns a limiter of the account's quota, which all processes share
// that name the same account and plan. The account may be any string but the empty
// one, such as the client id. rdb stays the caller's to close. NewLimiter connects
// to nothing. The error is a [*mid.ValidationError].
func NewLimiter(rdb redis.UniversalClient, account string, plan mid.Plan, opts ...Option) (*Limiter, error) {
	const constructor = "midredis.NewLimiter"
	l, err := newLink(constructor, rdb, account, opts)
	if err != nil {
		return nil, err
	}
	if plan.RequestsPerMinute < 1 || plan.Burst < 1 {
		return nil, &mid.ValidationError{Field: constructor + " plan", Reason: "has a rate or a burst that is less than 1"}
	}
	return &Limiter{
		quota: quota{
			link:     l,
			key:      l.key("quota"),
			process:  rand.Text(),
			interval: time.Minute / time.Duration(plan.RequestsPerMinute),
			burst:    plan.Burst,
		},
		health:  health{logger: l.logger, share: "rate limit"},
		maxWait: mid.DefaultRetryPolicy().MaxRetryAfter,
		bucket:  unknownServer,
		share:   share{processes: unknownProcesses},
		kick:    make(chan struct{}, 1),
	}, nil
}

// Wait implements [mid.Limiter]. It fails with a [*mid.RateLimitError] as soon as it is
// known that no permit comes before ctx ends, or within two minutes.
func (l *Limiter) Wait(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.mu.Lock()
	w := l.callers.join(ctx)
	now := time.Now()
	l.dispatch(now)
	l.judge(now)
	l.wake()
	l.mu.Unlock()

	select {
	case err := <-w.ready:
		return err
	case <-ctx.Done():
		l.leave(w)
		return ctx.Err()
	}
}

// leave takes a caller out of the queue whose context has ended.
func (l *Limiter) leave(w *caller) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if w.place != nil {
		l.callers.remove(w)
	} else if <-w.ready == nil { // it was let go at the same moment
		l.inFlight--
		l.unused(time.Now())
	}
	l.wake()
}

// unused has the next caller use a permit that a request did not use. The latest of
// those in hand goes back then, if it is not needed any more.
func (l *Limiter) unused(now time.Time) {
	p := permit{at: now, local: l.health.down.Load()}
	if l.callers.len() == 0 {
		l.giveBack(p)
		return
	}
	l.permits.add(p)
	if l.need() < 0 {
		l.giveBack(l.permits.last())
	}
	l.dispatch(now)
}

// Observe implements [mid.Limiter].
func (l *Limiter) Observe(o mid.RequestOutcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inFlight--
	now := time.Now()
	if o.Sent {
		l.report.note(o, l.bucket == bucketServer)
	} else {
		l.unused(now)
	}
	if l.polls > 0 {
		l.polls, l.retry = 0, now
	}
	if o.RetryAfter > 0 {
		l.pause = later(l.pause, now.Add(o.RetryAfter))
		l.judge(now)
	}
	l.wake()
}

// wake has the limiter's goroutine look again; it runs while there is anything to
// do.
func (l *Limiter) wake() {
	if !l.running {
		l.running = true
		go l.run()
		return
	}
	select {
	case l.kick <- struct{}{}:
	default:
	}
}

func (l *Limiter) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-l.kick:
		}
		l.mu.Lock()
		now := time.Now()
		l.expire(now)
		l.dispatch(now)
		if l.idle() {
			l.running = false
			l.mu.Unlock()
			return
		}
		l.work(now)
		next := l.next(now)
		l.mu.Unlock()
		timer.Reset(max(next.Sub(now), time.Millisecond))
	}
}

func (l *Limiter) idle() bool {
	return l.callers.len() == 0 && len(l.permits) == 0 && l.inFlight <= 0 && !l.asking && !l.report.urgent()
}

// expire gives back the permits that no request uses.
func (l *Limiter) expire(now time.Time) {
	if l.callers.len() > 0 {
		return
	}
	for len(l.permits) > 0 && now.Sub(l.permits[0].at) > leaseLife {
		l.giveBack(l.permits.first())
	}
}

func (l *Limiter) giveBack(p permit) {
	if !p.local {
		l.report.back++
	}
}

// dispatch lets go those at the head of the queue.
func (l *Limiter) dispatch(now time.Time) {
	if l.stale(now) {
		return
	}
	for l.callers.len() > 0 && len(l.permits) > 0 && !l.permits[0].at.After(now) && !now.Before(l.pause) {
		l.permits.first()
		l.inFlight++
		l.used++
		l.callers.letGo()
	}
}

// stale reports whether there may have been a 429 since Redis answered last.
func (l *Limiter) stale(now time.Time) bool {
	return !l.health.down.Load() && now.Sub(l.heard) > heartbeat
}

// judge refuses those whose wait can't end in time.
func (l *Limiter) judge(now time.Time) {
	l.callers.judge(now, l.maxWait, l.report.quota, l.turn)
}

// turn is when the i-th caller of the queue may go at the earliest, as far as is known.
func (l *Limiter) turn(i int) time.Time {
	beyond := i - len(l.permits)
	if beyond < 0 {
		return later(l.permits[i].at, l.pause)
	}
	at := l.retry
	if l.polls > 0 {
		at = time.Time{} // an answer may come at any time
	}
	if l.report.back > 0 {
		at = sooner(at, l.asked.Add(reportAfter))
	}
	if !l.free.IsZero() {
		at = later(at, l.free.Add(time.Duration(beyond-l.report.back)*l.interval))
	}
	return later(at, l.pause)
}

// need is how many permits the callers lack.
func (l *Limiter) need() int { return l.callers.len() - len(l.permits) }

// work asks Redis if it is time to, and lives without it while it is gone.
func (l *Limiter) work(now time.Time) {
	if !l.asking && !now.Before(l.due()) {
		want := l.need()
		if want > 0 {
			want += l.ahead(now)
		}
		l.asking, l.asked = true, now
		lost := l.report
		l.report.sent()
		l.used = 0
		go l.ask(max(want, 0), len(l.permits)+l.inFlight, l.permits.until(now), l.bucket, lost)
	}
	if l.health.down.Load() {
		window := l.report.quota
		if l.bucket == bucketServer { // it refills before its Reset
			window = mid.RateLimit{}
		}
		for l.need() > 0 && len(l.permits) < maxLease {
			at := l.share.slot(l.interval, window, l.inFlight+len(l.permits), now)
			l.permits.add(permit{at: at, local: true})
		}
		l.dispatch(now)
		l.judge(now)
	}
}

// ahead is how many permits will be used, as it seems, before they would go back. While
// the plan's bucket is empty, callers wait for each.
func (l *Limiter) ahead(now time.Time) int {
	used := float64(l.used)
	if l.free.IsZero() {
		used *= min(1, float64(leaseLife)/float64(now.Sub(l.asked)))
	}
	return min(int(used), maxLease)
}

// due is when Redis is to be asked.
func (l *Limiter) due() time.Time {
	at := l.asked.Add(heartbeat)
	if l.callers.len() > 0 && len(l.permits) > 0 {
		// Redis expects no sign of life before, and no permit is used without one.
		at = later(l.permits[0].at, l.heard.Add(heartbeat))
	}
	switch {
	case l.health.down.Load():
		return l.retry
	case l.report.pause > 0:
		return l.asked
	case l.need() > 0 && len(l.permits) == 0:
		at = l.retry
	case l.need() > 0:
		at = sooner(at, l.retry)
	}
	if l.report.back > 0 || l.need() <= 0 && l.report.urgent() {
		at = sooner(at, l.asked.Add(reportAfter))
	}
	return at
}

// next is when there is something to do, if no one comes before.
func (l *Limiter) next(now time.Time) time.Time {
	next := now.Add(heartbeat)
	if !l.asking {
		next = sooner(next, l.due())
	}
	if len(l.permits) > 0 {
		switch {
		case l.callers.len() == 0:
			next = sooner(next, l.permits[0].at.Add(leaseLife+time.Millisecond))
		case l.asking && l.stale(now): // the answer comes first
		case l.pause.After(l.permits[0].at):
			next = sooner(next, l.pause)
		default:
			next = sooner(next, l.permits[0].at)
		}
	}
	return next
}

// ask sends a report to Redis and takes permits.
func (l *Limiter) ask(want, out int, held time.Duration, bucket int64, sent report) {
	a, err := bounded(context.Background(), l.link, func(ctx context.Context) (taken, error) {
		return l.take(ctx, want, out, held, bucket, sent)
	}, nil)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asking = false
	now := time.Now()
	if err != nil {
		l.report.again(sent)
		l.report.pause = max(l.pause.Sub(now), 0) // what is left of it
		l.polls = 0
		l.health.failed(context.Background(), err)
		l.retry = now.Add(probe + mathrand.N(probe))
	} else {
		l.health.well(context.Background())
		l.receive(a, now)
	}
	l.wake()
}

func (l *Limiter) receive(a taken, now time.Time) {
	l.share.processes, l.bucket = int(a.processes), a.bucket
	l.heard = now
	wait := a.wait
	if wait == poll {
		wait <<= min(l.polls, 3)
		l.polls++
	} else {
		l.polls = 0
	}
	l.retry, l.free = now.Add(wait), time.Time{}
	if a.free > 0 {
		l.free = now.Add(a.free)
	}
	if a.pause > 0 {
		l.pause = later(l.pause, now.Add(a.pause))
	}
	l.permits = l.permits.shared()
	at := now.Add(a.first)
	for range a.permits {
		l.permits.add(permit{at: later(at, now)})
		// The next are asked for when these are used: the other processes have
		// theirs in between.
		l.retry = at
		at = at.Add(l.interval)
	}
	l.dispatch(now)
	l.judge(now)
}
