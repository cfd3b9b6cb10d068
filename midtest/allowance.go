package midtest

import (
	"net/http"
	"strconv"
	"time"

	"github.com/mobid-io/mid-go"
)

// allowance is the quota's decision on one request, and what is left after it.
type allowance struct {
	granted          bool
	limit, remaining int
	reset            time.Time     // when limit requests may go again
	retryAfter       time.Duration // if not granted
}

// refusal is the published answer to a request over the quota.
func (a allowance) refusal() error {
	p := newProblem(mid.CodeRateLimitExceeded, "too many requests")
	p.RetryAfter = max(seconds(a.retryAfter), 1)
	return p
}

func (a allowance) writeTo(h http.Header) {
	// Rounded up, so that a client that waits for it is not early.
	reset := a.reset.Add(time.Second - 1).Unix()
	h.Set("X-RateLimit-Limit", strconv.Itoa(a.limit))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(a.remaining))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(reset, 10))
}
