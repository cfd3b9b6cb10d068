package mid_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// A plan never lets more go than the headers allow: a server that counts by
// windows has no burst.
func TestPlanIsBoundedByTheHeaders(t *testing.T) {
	for name, plan := range map[string]mid.Plan{"sandbox": mid.PlanSandbox, "starter": mid.PlanStarter} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &window{limit: plan.RequestsPerMinute, length: time.Minute, latency: 50 * time.Millisecond}
				c := (&api{handle: w.handle}).client(t, staticToken(), mid.WithPlan(plan), mid.WithRetry(mid.RetryPolicy{MaxRetryAfter: time.Hour}))
				hurry(t, []*mid.Client{c}, 500, 150*time.Second)
				require.Zero(t, w.refused)
				require.GreaterOrEqual(t, w.served, 3*plan.RequestsPerMinute)
			})
		})
	}
}

// 300 verifications of five requests each take as long as the quota's arithmetic
// says, by 3 % at most.
func TestBatchTakesWhatTheQuotaSays(t *testing.T) {
	for name, opts := range map[string][]mid.Option{"plan": {mid.WithPlan(mid.PlanSandbox)}, "headers": nil} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &window{limit: 60, length: time.Minute, latency: 400 * time.Millisecond}
				c := (&api{handle: w.handle}).client(t, append(opts, staticToken())...)
				start := time.Now()
				var wg sync.WaitGroup
				work := make(chan int)
				for range 10 {
					wg.Go(func() {
						for range work {
							for range 5 {
								if err := look(t.Context(), c); err != nil {
									t.Error(err)
								}
							}
						}
					})
				}
				for n := range 300 {
					work <- n
				}
				close(work)
				wg.Wait()
				require.Zero(t, w.refused)
				arithmetic := 24 * time.Minute // 25 windows of 60, the last one at once
				require.Less(t, time.Since(start), arithmetic*103/100)
			})
		})
	}
}

// What cannot have reached the server costs no quota.
func TestRefusedConnectionCostsNoQuota(t *testing.T) {
	for name, err := range map[string]error{
		"refused":    &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")},
		"unresolved": &net.DNSError{Err: "no such host", Name: "api.example.com", IsNotFound: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &window{limit: 60, length: time.Minute}
				down := false
				a := &api{handle: func(r *http.Request) (*http.Response, error) {
					if down {
						return nil, err
					}
					return w.handle(r)
				}}
				c := a.client(t, staticToken(), mid.WithPlan(mid.PlanSandbox))
				require.NoError(t, look(t.Context(), c))
				start := time.Now()
				down = true
				for range 150 {
					require.Error(t, look(t.Context(), c, mid.WithoutRetry()))
				}
				down = false
				for range 59 {
					require.NoError(t, look(t.Context(), c))
				}
				require.Zero(t, time.Since(start))
			})
		})
	}
}

// A limiter of the application's learns that a request never left.
func TestLimiterLearnsWhatWasNotSent(t *testing.T) {
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	a := &api{handle: answers(failed(dial), status(200, ok(pendingSession)))}
	l := new(recorder)
	require.Error(t, look(t.Context(), a.client(t, staticToken(), mid.WithLimiter(l)), mid.WithoutRetry()))
	require.Equal(t, []mid.RequestOutcome{{}}, l.observed)
}

// Answers that report nothing hold no one back, though others did before.
func TestAnswersWithoutAQuotaHoldNoOneBack(t *testing.T) {
	for name, header := range map[string][]string{
		"none":            nil,
		"a limit of zero": limits(0, 0, time.Date(2000, 1, 1, 1, 0, 0, 0, time.UTC)),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				first := answer(200, ok(pendingSession), limits(2, 1, time.Now().Add(10*time.Second))...)
				a := &api{}
				a.handle = func(*http.Request) (*http.Response, error) {
					if len(a.sent()) == 1 {
						return first, nil
					}
					time.Sleep(time.Second)
					return answer(200, ok(pendingSession), header...), nil
				}
				c := a.client(t, staticToken())
				require.NoError(t, look(t.Context(), c))
				time.Sleep(12 * time.Second)
				require.NoError(t, look(t.Context(), c))
				start := time.Now()
				var wg sync.WaitGroup
				for range 100 {
					wg.Go(func() { _ = look(t.Context(), c) })
				}
				wg.Wait()
				require.Equal(t, time.Second, time.Since(start))
			})
		})
	}
}

// RateLimit is what may still go now: less what is in flight, with Reset by the
// server's clock, in a local refusal too.
func TestRateLimitIsWhatMayStillGo(t *testing.T) {
	for name, opt := range map[string]mid.Option{"own": staticToken(), "the application's": mid.WithLimiter(new(recorder))} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &window{limit: 60, length: time.Minute, skew: time.Hour}
				c := (&api{handle: w.handle}).client(t, staticToken(), opt)
				require.Zero(t, c.RateLimit())
				require.NoError(t, look(t.Context(), c))
				require.Equal(t, mid.RateLimit{Limit: 60, Remaining: 59, Reset: w.end.Local()}, c.RateLimit())
				w.latency = time.Second
				var wg sync.WaitGroup
				for range 9 {
					wg.Go(func() { _ = look(t.Context(), c) })
				}
				synctest.Wait()
				require.Equal(t, 50, c.RateLimit().Remaining)
				wg.Wait()
				require.Equal(t, 50, c.RateLimit().Remaining)
			})
		})
	}
}

func TestRefusalReportsTheServersReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &window{limit: 1, length: time.Minute, skew: time.Hour}
		c := (&api{handle: w.handle}).client(t, staticToken())
		require.NoError(t, look(t.Context(), c))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		refused, ok := errors.AsType[*mid.RateLimitError](look(ctx, c))
		require.True(t, ok)
		require.Equal(t, mid.RateLimit{Limit: 1, Remaining: 0, Reset: w.end.Local()}, refused.RateLimit)
		require.InDelta(t, 60, refused.RetryAfter.Seconds(), 1)
	})
}

// A 429 that asks for no wait is retried, however short MaxRetryAfter is.
func TestShortMaxRetryAfterStillRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &api{handle: answers(status(429, problem("rate_limit_exceeded", "slow down", "")), status(200, ok(pendingSession)))}
		policy := mid.DefaultRetryPolicy()
		policy.MaxRetryAfter = 100 * time.Millisecond
		require.NoError(t, look(t.Context(), a.client(t, staticToken(), mid.WithRetry(policy))))
		require.Len(t, a.sent(), 2)
	})
}

// The refusal of an application's limiter is its own affair, not that of
// MaxRetryAfter.
func TestLimitersRefusalDoesNotBlameMaxRetryAfter(t *testing.T) {
	l := &recorder{refuse: &mid.RateLimitError{RetryAfter: 30 * time.Second}}
	err := look(t.Context(), (&api{}).client(t, mid.WithLimiter(l)))
	require.ErrorIs(t, err, mid.ErrRateLimited)
	require.EqualError(t, err, "mid: rate limited, try again in 30s")
}

// One broken answer does not lock the client for longer than MaxRetryAfter.
func TestBrokenAnswerDoesNotLockTheClient(t *testing.T) {
	for name, broken := range map[string]func() (*http.Response, error){
		"Reset": func() (*http.Response, error) {
			return answer(200, ok(pendingSession), limits(60, 0, time.Now().Add(30*24*time.Hour))...), nil
		},
		"Retry-After": status(429, problem("rate_limit_exceeded", "slow down", ""), "Retry-After", "864000"),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &api{handle: answers(broken, status(200, ok(pendingSession)))}
				c := a.client(t, staticToken())
				_ = look(t.Context(), c)
				require.ErrorIs(t, look(t.Context(), c), mid.ErrRateLimited)
				require.Len(t, a.sent(), 1)
				time.Sleep(mid.DefaultRetryPolicy().MaxRetryAfter)
				require.NoError(t, look(t.Context(), c))
				require.NoError(t, look(t.Context(), c))
			})
		})
	}
}
