package mid

import (
	"context"
	"time"

	"github.com/mobid-io/mid-go/internal/pacing"
)

// NewMemoryStore is the default EventStore, for the conformance test.
func NewMemoryStore() EventStore {
	return newMemoryStore(memoryStoreEntries, time.Minute, memoryStoreAge)
}

// NewQueueLimiter is the client's own queue behind the public interface, for the
// conformance test.
func NewQueueLimiter(plan *Plan) Limiter {
	return queueLimiter{&pipeline{limiter: newPacer(plan, nil, DefaultRetryPolicy().MaxRetryAfter)}}
}

type queueLimiter struct{ p *pipeline }

func (l queueLimiter) Wait(ctx context.Context) error { return l.p.wait(ctx) }

func (l queueLimiter) Observe(o RequestOutcome) {
	l.p.limiter.Observe(pacing.Outcome{Sent: o.Sent, Answered: o.Sent, Quota: pacing.Quota(o.RateLimit), RetryAfter: o.RetryAfter})
}
