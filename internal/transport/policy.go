package transport

import (
	"math/rand/v2"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// Policy says how often a call is sent again, and after how long.
type Policy struct {
	MaxRetries    int           // further requests after the first
	MinWait       time.Duration // the first wait's upper bound, doubled for each further one
	MaxWait       time.Duration // no backoff's bound is higher
	MaxRetryAfter time.Duration // the longest wait that a server may ask for
}

// backoff is exponential with full jitter: anything between zero and the
// bound, so that clients that failed together do not come back together.
func (p *Policy) backoff(sent int) time.Duration {
	bound := p.MinWait
	for i := 1; i < sent && bound < p.MaxWait; i++ {
		bound *= 2
	}
	return rand.N(min(bound, p.MaxWait) + 1)
}

// try is the state of one call's retries.
type try struct {
	policy  *Policy
	client  retryablehttp.Client
	request retryablehttp.Request
	sent    int
}
