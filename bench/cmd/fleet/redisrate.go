package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/go-redis/redis_rate/v10"
	"github.com/redis/go-redis/v9"

	"github.com/mobid-io/mid-go"
)

// rateLimiter is redis_rate behind a [mid.Limiter], as a careful user would put it
// there: it asks, sleeps for as long as the answer says, and asks again. A 429 stops
// its process, because redis_rate has no word for it.
type rateLimiter struct {
	limiter *redis_rate.Limiter
	key     string
	limit   redis_rate.Limit

	mu    sync.Mutex
	pause time.Time // until when a 429 stops this process
}

func newRateLimiter(rdb redis.UniversalClient, account string, plan mid.Plan) *rateLimiter {
	return &rateLimiter{
		limiter: redis_rate.NewLimiter(rdb),
		key:     account,
		limit:   redis_rate.Limit{Rate: plan.RequestsPerMinute, Burst: plan.Burst, Period: time.Minute},
	}
}

// Wait implements [mid.Limiter].
func (l *rateLimiter) Wait(ctx context.Context) error {
	for {
		if err := sleep(ctx, time.Until(l.paused())); err != nil {
			return err
		}
		res, err := l.limiter.Allow(ctx, l.key, l.limit)
		if err != nil {
			return fmt.Errorf("redis_rate: %w", err)
		}
		if res.Allowed > 0 {
			return nil
		}
		if err := sleep(ctx, res.RetryAfter); err != nil {
			return err
		}
	}
}

// Observe implements [mid.Limiter].
func (l *rateLimiter) Observe(o mid.RequestOutcome) {
	if o.RetryAfter <= 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if until := time.Now().Add(o.RetryAfter); until.After(l.pause) {
		l.pause = until
	}
}

func (l *rateLimiter) paused() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.pause
}

// sleep fails at once if ctx ends before the sleep would.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < d {
		return &mid.RateLimitError{RetryAfter: d, Err: context.DeadlineExceeded}
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
