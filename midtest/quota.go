package midtest

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/mobid-io/mid-go"
)

// quota counts requests in fixed windows, as the published plans do.
type quota struct {
	mu     sync.Mutex
	limit  int
	window time.Duration
	used   int
	ends   time.Time
}

// allowance is what the quota says to one request.
type allowance struct {
	granted          bool
	limit, remaining int
	ends, at         time.Time
}

// SetQuota allows limit requests in a window of time from now on, as
// [WithQuota] does; the present window is forgotten.
func (s *Server) SetQuota(limit int, window time.Duration) { s.quota.set(limit, window) }

func (q *quota) set(limit int, window time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.limit, q.window, q.used, q.ends = limit, window, 0, time.Time{}
}

func (q *quota) take() allowance {
	q.mu.Lock()
	defer q.mu.Unlock()
	at := time.Now()
	if !at.Before(q.ends) {
		q.used, q.ends = 0, at.Add(q.window)
	}
	q.used++
	return allowance{
		granted:   q.used <= q.limit,
		limit:     max(q.limit, 0),
		remaining: max(q.limit-q.used, 0),
		ends:      q.ends,
		at:        at,
	}
}

// refusal is the published answer to a request over the quota.
func (a allowance) refusal() error {
	p := newProblem(mid.CodeRateLimitExceeded, "too many requests")
	p.RetryAfter = max(seconds(a.ends.Sub(a.at)), 1)
	return p
}

func (a allowance) writeTo(h http.Header) {
	reset := a.ends.Add(time.Second - 1).Unix() // up: whoever waits for it is not early
	h.Set("X-RateLimit-Limit", strconv.Itoa(a.limit))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(a.remaining))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(reset, 10))
}
