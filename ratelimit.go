package mid

import (
	"context"
	"sync"
	"time"

	"github.com/mobid-io/mid-go/internal/pacing"
)

// RateLimit is the quota as the X-RateLimit headers of an answer report it. Its
// zero value means that they report none.
type RateLimit struct {
	// Limit is how many requests the plan allows in the current window.
	Limit int
	// Remaining is how many of them are left.
	Remaining int
	// Reset is when the window ends. In what the client returns it is by the
	// server's clock; in what [Limiter.Observe] is given it has been moved to
	// the local clock.
	Reset time.Time
}

// Plan is the rate limit of a MID plan, for [WithPlan]: requests per minute,
// and how many may go at once after a pause. Both must be at least 1.
type Plan struct {
	RequestsPerMinute, Burst int
}

// The published plans.
var (
	PlanSandbox      = Plan{RequestsPerMinute: 60, Burst: 120}
	PlanStandard     = Plan{RequestsPerMinute: 100, Burst: 100}
	PlanStarter      = Plan{RequestsPerMinute: 300, Burst: 600}
	PlanProfessional = Plan{RequestsPerMinute: 1000, Burst: 2000}
)

// Limiter paces the requests of a client, or of several that share a quota.
// Every wire send passes it: first tries, retries and replays, and token
// requests too, because the server counts them.
//
// All callers wait until a 429's RetryAfter has passed, and, when Remaining is 0,
// until Reset. After Reset the quota is new, even if the answers report nothing:
// no request waits for a report that may not come. A process that dies observes
// nothing, so a limiter that processes share must let go of the places that it
// held after a time.
//
// Implementations are safe for concurrent use. Test one of your own with
// [github.com/mobid-io/mid-go/midtest.TestLimiter].
type Limiter interface {
	// Wait returns nil when one request may be sent. It returns an error when
	// ctx ends, or at once when the wait could not end in time; the best such
	// error is a [*RateLimitError]. The call then ends with that error.
	Wait(ctx context.Context) error
	// Observe is called once for every Wait that returned nil, when that
	// request has ended or turned out not to be sent. It must not block.
	Observe(outcome RequestOutcome)
}

// RequestOutcome is how a request ended that a [Limiter] let go.
type RequestOutcome struct {
	// Sent is false for a request that surely never left, such as one whose
	// connection was refused: the server has not counted it, and its place is
	// free again. A request of which no answer came has been sent, as far as
	// anyone knows.
	Sent bool
	// RateLimit is the quota that the answer reported, with Reset moved to the
	// local clock; its zero value if no answer came or it reported none. Answers
	// overtake each other: of two with one Reset, the one with the lower
	// Remaining is the later.
	RateLimit RateLimit
	// RetryAfter is more than zero if the answer was a 429, and only then:
	// nothing should be sent before it has passed. Of a 429 that asks for no
	// wait it is a second, or [RetryPolicy].MaxRetryAfter if that is less.
	RetryAfter time.Duration
}

// pacer is what the pipeline paces its requests by.
type pacer interface {
	// Wait returns nil when it is the caller's turn.
	Wait(ctx context.Context, lane pacing.Lane) error
	// Observe is called once for every Wait that returned nil.
	Observe(outcome pacing.Outcome)
	// Quota is what may go now, by what the server reported.
	Quota() pacing.Quota
}

// newPacer returns the application's limiter or, if it is nil, the client's own
// queue; plan may be nil.
func newPacer(plan *Plan, limiter Limiter, maxWait time.Duration) pacer {
	switch {
	case limiter != nil:
		return &ownLimiter{limiter: limiter}
	case plan != nil:
		return pacing.NewQueue(&pacing.Plan{PerMinute: plan.RequestsPerMinute, Burst: plan.Burst}, maxWait)
	}
	return pacing.NewQueue(nil, maxWait)
}

// ownLimiter is the application's limiter, with an account of the quota beside
// it that paces nothing.
type ownLimiter struct {
	limiter Limiter

	mu     sync.Mutex
	window pacing.Window
}

func (l *ownLimiter) Wait(ctx context.Context, _ pacing.Lane) error {
	if err := l.limiter.Wait(ctx); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.window.Take()
	return nil
}

func (l *ownLimiter) Observe(o pacing.Outcome) {
	l.limiter.Observe(RequestOutcome{Sent: o.Sent, RateLimit: l.note(o), RetryAfter: o.RetryAfter})
}

// note returns the quota that an outcome reports, by the local clock.
func (l *ownLimiter) note(o pacing.Outcome) RateLimit {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.window.Observe(o, time.Now())
	local := RateLimit(o.Quota)
	if local != (RateLimit{}) {
		local.Reset = l.window.Local(local.Reset)
	}
	return local
}

func (l *ownLimiter) Quota() pacing.Quota {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.window.Quota(time.Now())
}
