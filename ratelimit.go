package mid

import (
	"context"
	"sync"
	"time"

	"github.com/mobid-io/mid-go/internal/pacing"
)

// RateLimit is the quota as the X-RateLimit headers of an answer report it. The
// zero value means that the answer reported no quota.
type RateLimit struct {
	// Limit is how many requests the plan allows in the current window.
	Limit int
	// Remaining is how many of them are left.
	Remaining int
	// Reset is when the window ends. It is by the server's clock, except in a
	// [RequestOutcome], where it is by the local clock.
	Reset time.Time
}

// Plan is the rate limit of a MID plan, for [WithPlan]: how many requests may be
// sent per minute, and how many at once after a pause. Both must be at least 1.
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

// Limiter paces the requests of a client, or of several that share a quota. Every
// wire send passes it: first attempts, retries, replays, and token requests too,
// because the server counts them.
//
// After a 429, a limiter makes all callers wait until its RetryAfter has passed.
// When Remaining is 0, they wait until Reset. After Reset the quota is new, even
// if no answer has reported it yet, because such a report may never come.
//
// A process that dies observes nothing. A limiter that processes share must
// therefore free the places of requests that are not observed for some time.
//
// Implementations are safe for concurrent use. Test one of your own with
// [github.com/mobid-io/mid-go/midtest.TestLimiter].
type Limiter interface {
	// Wait returns nil when one request may be sent. It returns an error when ctx
	// ends, or at once if the wait could not end in time; preferably a
	// [*RateLimitError]. The call then ends with that error.
	Wait(ctx context.Context) error
	// Observe is called once for every Wait that returned nil, when the request
	// has ended or turned out not to be sent. It must not block.
	Observe(outcome RequestOutcome)
}

// RequestOutcome is how a request ended for which [Limiter.Wait] returned nil.
type RequestOutcome struct {
	// Sent is false if the request surely never left, such as when the connection
	// was refused. The server has then not counted it, and its place is free
	// again. Sent is true if no answer came, because the request may have left.
	Sent bool
	// RateLimit is the quota that the answer reported, with Reset by the local
	// clock. It is the zero value if no answer came, or the answer reported no
	// quota. Answers overtake each other: of two with the same Reset, the one with
	// the lower Remaining is the later.
	RateLimit RateLimit
	// RetryAfter is more than zero only if the answer was a 429. Nothing should be
	// sent before it has passed. If the 429 asked for no wait, it is a second, or
	// [RetryPolicy].MaxRetryAfter if that is less.
	RetryAfter time.Duration
}

// pacer paces the pipeline's requests.
type pacer interface {
	// Wait returns nil when it is the caller's turn.
	Wait(ctx context.Context, lane pacing.Lane) error
	// Observe is called once for every Wait that returned nil.
	Observe(outcome pacing.Outcome)
	// Quota returns what may be sent now, by what the server reported.
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

// ownLimiter is the application's limiter. The account of the quota beside it is
// only for [Client.RateLimit] and the server's clock; it paces nothing.
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
