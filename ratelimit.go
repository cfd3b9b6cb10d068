package mid

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/mobid-io/mid-go/internal/transport"
)

// RateLimit is the quota as the X-RateLimit headers of an answer told it. Its
// zero value means that nothing was told.
type RateLimit struct {
	// Limit is how many requests the plan allows in the current window.
	Limit int
	// Remaining is how many of them are left.
	Remaining int
	// Reset is when the window ends. In what the client returns it is the
	// server's word, by the server's clock; in what [Limiter.Observe] is given
	// it has been moved to the local clock.
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
// Implementations are safe for concurrent use.
type Limiter interface {
	// Wait returns nil when one request may be sent. It returns an error when
	// ctx ends, or at once when the wait could not end in time; the best such
	// error is a [*RateLimitError].
	Wait(ctx context.Context) error
	// Observe is called once for every Wait that returned nil, when that
	// request has ended. limit is what the answer told, with Reset moved to
	// the local clock, or its zero value if there was no answer or it told
	// nothing. retryAfter is more than zero exactly when the answer was a 429:
	// nobody should send before it has passed.
	Observe(limit RateLimit, retryAfter time.Duration)
}

// quota keeps what the answers told, and how far the server's clock is ahead
// of the local one.
type quota struct {
	mu   sync.Mutex
	last RateLimit
	// How far the clock is ahead at least, by the answers since a time.
	ahead time.Duration
	since time.Time
	// The latest Date header, as it came and parsed, or the zero time: it is
	// the same for all answers of a second.
	date   string
	dateAt time.Time
}

// What the answers told of the clock is forgotten after clockPeriod, for one of
// the clocks may have been set; at once, if it was ahead by clockStep more.
const (
	clockPeriod = 2 * time.Minute
	clockStep   = time.Minute
)

// observe notes an answer's quota and returns it with Reset on the local
// clock.
//
// The Date header is cut to whole seconds and some time on its way, so that
// Date less now is never more than the server's clock is ahead. The largest
// difference seen is the best bound, and pacing by it is never early.
func (q *quota) observe(header http.Header, now time.Time) RateLimit {
	told, ok := transport.ReadQuota(header)
	if !ok {
		return RateLimit{}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.last = RateLimit(told)
	ahead := q.serverTime(header, now).Sub(now)
	if now.Sub(q.since) > clockPeriod || q.ahead-ahead > clockStep {
		q.since, q.ahead = now, ahead
	}
	q.ahead = max(q.ahead, ahead)
	local := q.last
	// Added to now, it is on the monotonic clock.
	local.Reset = now.Add(told.Reset.Sub(now) - q.ahead)
	return local
}

// serverTime is the answer's Date, or now if it has none.
func (q *quota) serverTime(header http.Header, now time.Time) time.Time {
	if date := header.Get("Date"); date != q.date || q.dateAt.IsZero() {
		q.date = date
		q.dateAt, _ = http.ParseTime(date) // the zero time for what is no date
	}
	if q.dateAt.IsZero() {
		return now
	}
	return q.dateAt
}

func (q *quota) seen() RateLimit {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.last
}
