package mid

import "time"

// RetryPolicy says how often a request is sent again, and when. Connection errors,
// attempt timeouts and the statuses 408, 425, 429, 500, 502, 503 and 504 are
// retried.
//
// MaxRetries 0 means one request, so begin with [DefaultRetryPolicy] and change
// what you need:
//
//	policy := mid.DefaultRetryPolicy()
//	policy.MaxWait = 20 * time.Second
type RetryPolicy struct {
	// MaxRetries is how many requests may follow the first. Token requests are
	// retried twice at most. If one still fails, the calls that wait for the
	// token go on with their own retries.
	MaxRetries int
	// MinWait and MaxWait shape the backoff: the wait before the n-th retry is
	// random between zero and MinWait·2ⁿ⁻¹, or MaxWait if that is less (full
	// jitter). One that is zero is the default's. It is the other one if the
	// default would make MinWait longer than MaxWait.
	MinWait, MaxWait time.Duration
	// MaxRetryAfter is the longest wait that a server (error.retry_after,
	// Retry-After, X-RateLimit-Reset) or the client's own limiter may ask for. A
	// call that would wait longer fails at once. If zero, it is the default's.
	MaxRetryAfter time.Duration
}

// DefaultRetryPolicy returns a policy of three retries, with a MinWait of 500 ms,
// a MaxWait of 8 s and a MaxRetryAfter of two minutes, which is longer than a rate
// limit's window.
func DefaultRetryPolicy() RetryPolicy {
	return RetryPolicy{
		MaxRetries:    3,
		MinWait:       500 * time.Millisecond,
		MaxWait:       8 * time.Second,
		MaxRetryAfter: 2 * time.Minute,
	}
}

// maxPolicyWait is safe to calculate with.
const maxPolicyWait = 365 * 24 * time.Hour

// filled returns the policy with the default's durations in place of zeros.
func (p RetryPolicy) filled() RetryPolicy {
	def := DefaultRetryPolicy()
	if p.MinWait == 0 {
		p.MinWait = def.MinWait
		if p.MaxWait > 0 {
			p.MinWait = min(def.MinWait, p.MaxWait)
		}
	}
	if p.MaxWait == 0 {
		p.MaxWait = max(def.MaxWait, p.MinWait)
	}
	if p.MaxRetryAfter == 0 {
		p.MaxRetryAfter = def.MaxRetryAfter
	}
	return p
}
