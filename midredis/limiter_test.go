package midredis_test

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midredis"
)

func newLimiter(t *testing.T, rdb redis.UniversalClient, account string, plan mid.Plan, opts ...midredis.Option) *midredis.Limiter {
	t.Helper()
	limiter, err := midredis.NewLimiter(rdb, account, plan, opts...)
	require.NoError(t, err)
	return limiter
}

func waitAndObserve(t *testing.T, limiter mid.Limiter, o mid.RequestOutcome) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	require.NoError(t, limiter.Wait(ctx))
	limiter.Observe(o)
}

// A 429 that one process saw stops the others.
func TestPauseHoldsForAllProcesses(t *testing.T) {
	server, account := sharedRedis(t), newAccount()
	plan := mid.Plan{RequestsPerMinute: 6000, Burst: 100}
	a, b := newLimiter(t, server.client(t), account, plan, generous), newLimiter(t, server.client(t), account, plan, generous)
	waitAndObserve(t, b, mid.RequestOutcome{Sent: true, RateLimit: mid.RateLimit{Limit: 100, Remaining: 99, Reset: time.Now().Add(time.Minute)}})
	paused := time.Now()
	waitAndObserve(t, a, mid.RequestOutcome{Sent: true, RetryAfter: 2 * time.Second})
	time.Sleep(500 * time.Millisecond) // for it to reach Redis, and for b's permits to go back
	waitAndObserve(t, b, mid.RequestOutcome{Sent: true})
	assert.GreaterOrEqual(t, time.Since(paused), 1900*time.Millisecond)
}

// It stops those too that have a permit for later.
func TestPauseHoldsForPermitsInHand(t *testing.T) {
	t.Parallel()
	server, account := sharedRedis(t), newAccount()
	plan := mid.Plan{RequestsPerMinute: 20, Burst: 3}
	a, b := newLimiter(t, server.client(t), account, plan, generous), newLimiter(t, server.client(t), account, plan, generous)
	require.NoError(t, a.Wait(t.Context()))
	a.Observe(mid.RequestOutcome{Sent: true, RateLimit: mid.RateLimit{Limit: 3, Remaining: 2, Reset: time.Now().Add(3 * time.Second)}})
	require.NoError(t, a.Wait(t.Context()))
	var all sync.WaitGroup
	all.Go(func() { waitAndObserve(t, b, mid.RequestOutcome{Sent: true}) }) // its turn is in three seconds
	time.Sleep(300 * time.Millisecond)                                      // for it to have its permit
	paused := time.Now()
	a.Observe(mid.RequestOutcome{Sent: true, RetryAfter: 5 * time.Second})
	all.Wait()
	assert.GreaterOrEqual(t, time.Since(paused), 5*time.Second)
}

// What the headers leave holds for all, whatever the plan says.
func TestWindowHoldsForAllProcesses(t *testing.T) {
	server, account := sharedRedis(t), newAccount()
	plan := mid.Plan{RequestsPerMinute: 6000, Burst: 100}
	a, b := newLimiter(t, server.client(t), account, plan, generous), newLimiter(t, server.client(t), account, plan, generous)
	reset := time.Now().Add(2 * time.Second)
	waitAndObserve(t, a, mid.RequestOutcome{Sent: true, RateLimit: mid.RateLimit{Limit: 50, Remaining: 0, Reset: reset}})
	time.Sleep(500 * time.Millisecond) // for it to reach Redis
	waitAndObserve(t, b, mid.RequestOutcome{Sent: true})
	assert.False(t, time.Now().Before(reset.Add(-50*time.Millisecond)))
}

// A permit that goes back to a full bucket makes no other.
func TestPermitThatGoesBackToAFullBucket(t *testing.T) {
	t.Parallel()
	rdb, account := sharedRedis(t).client(t), newAccount()
	plan := mid.Plan{RequestsPerMinute: 60, Burst: 1}
	a, b := newLimiter(t, rdb, account, plan, generous), newLimiter(t, rdb, account, plan, generous)
	waitAndObserve(t, a, mid.RequestOutcome{Sent: true}) // the server reports nothing
	time.Sleep(200 * time.Millisecond)                   // for Redis to hear of it
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() { assert.ErrorIs(t, a.Wait(ctx), context.Canceled) }) // its turn is in 0.8 s
	time.Sleep(100 * time.Millisecond)
	var at [2]time.Time
	all.Go(func() { // and this one's in 1.8 s
		waitAndObserve(t, b, mid.RequestOutcome{Sent: true})
		at[0] = time.Now()
	})
	time.Sleep(100 * time.Millisecond)
	cancel()
	time.Sleep(900 * time.Millisecond) // for the permit to go back, unused
	waitAndObserve(t, a, mid.RequestOutcome{Sent: true})
	at[1] = time.Now()
	all.Wait()
	assert.GreaterOrEqual(t, at[1].Sub(at[0]).Abs(), 900*time.Millisecond, "two at once")
}

// Redis keeps a quota until nothing is left of what was used, and for a while.
func TestQuotaIsKeptUntilTheBucketIsFull(t *testing.T) {
	rdb, account := sharedRedis(t).client(t), newAccount()
	limiter := newLimiter(t, rdb, account, mid.Plan{RequestsPerMinute: 6, Burst: 60}, generous)
	for range 40 {
		waitAndObserve(t, limiter, mid.RequestOutcome{Sent: true})
	}
	assert.Greater(t, rdb.PTTL(t.Context(), "mid:{"+account+"}:quota").Val(), 11*time.Minute)
}

// A caller that waits for the answer of another does not ask Redis all the time.
func TestFewAskWhileAnAnswerIsToCome(t *testing.T) {
	t.Parallel()
	rdb := sharedRedis(t).client(t)
	var commands counting
	rdb.AddHook(&commands)
	limiter := newLimiter(t, rdb, newAccount(), mid.Plan{RequestsPerMinute: 6000, Burst: 100}, generous)
	waitAndObserve(t, limiter, mid.RequestOutcome{Sent: true, RateLimit: mid.RateLimit{Limit: 50, Remaining: 1, Reset: time.Now().Add(time.Minute)}})
	require.NoError(t, limiter.Wait(t.Context()))
	before := commands.n.Load()
	var all sync.WaitGroup
	all.Go(func() { assert.NoError(t, limiter.Wait(t.Context())) })
	time.Sleep(2 * time.Second)
	assert.LessOrEqual(t, commands.n.Load()-before, int64(15))
	begun := time.Now()
	limiter.Observe(mid.RequestOutcome{}) // it was not sent: its place is free
	all.Wait()
	assert.Less(t, time.Since(begun), 200*time.Millisecond)
	limiter.Observe(mid.RequestOutcome{})
}

// First come, first served within a process.
func TestCallersGoInOrder(t *testing.T) {
	limiter := newLimiter(t, sharedRedis(t).client(t), newAccount(), mid.Plan{RequestsPerMinute: 6000, Burst: 100}, generous)
	// One place is left: the next may go when the one before has given it back.
	window := mid.RateLimit{Limit: 50, Remaining: 1, Reset: time.Now().Add(time.Minute)}
	waitAndObserve(t, limiter, mid.RequestOutcome{Sent: true, RateLimit: window})
	require.NoError(t, limiter.Wait(t.Context()))
	var mu sync.Mutex
	var order []int
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			if assert.NoError(t, limiter.Wait(t.Context())) {
				mu.Lock()
				defer mu.Unlock()
				order = append(order, i)
				limiter.Observe(mid.RequestOutcome{})
			}
		})
		time.Sleep(50 * time.Millisecond) // for it to queue
	}
	limiter.Observe(mid.RequestOutcome{})
	all.Wait()
	assert.Equal(t, []int{0, 1, 2, 3, 4, 5, 6, 7}, order)
}

// A process without Redis has its share of the rate, and says so once.
func TestLimiterGoesOnWithoutRedis(t *testing.T) {
	server := startRedis(t)
	var log lockedBuffer
	limiter := newLimiter(t, server.client(t), newAccount(), mid.Plan{RequestsPerMinute: 6000, Burst: 100},
		midredis.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	server.stop()
	for range 20 {
		waitAndObserve(t, limiter, mid.RequestOutcome{Sent: true})
	}
	server.start(t)
	require.Eventually(t, func() bool {
		waitAndObserve(t, limiter, mid.RequestOutcome{Sent: true})
		return strings.Contains(log.String(), "share again")
	}, 20*time.Second, 20*time.Millisecond)
	assert.Equal(t, 2, strings.Count(log.String(), "\n"), log.String())
}

// Callers whose turn comes too late are refused at once, however soon those before
// them go.
func TestQueueThatIsTooLong(t *testing.T) {
	limiter := newLimiter(t, sharedRedis(t).client(t), newAccount(), mid.Plan{RequestsPerMinute: 600, Burst: 20}, generous)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	begun := time.Now()
	var refused atomic.Int64
	var all sync.WaitGroup
	for range 80 {
		all.Go(func() {
			err := limiter.Wait(ctx)
			if err == nil {
				limiter.Observe(mid.RequestOutcome{Sent: true})
				return
			}
			assert.Less(t, time.Since(begun), time.Second)
			var refusal *mid.RateLimitError
			if assert.ErrorAs(t, err, &refusal) {
				refused.Add(1)
				assert.GreaterOrEqual(t, refusal.RetryAfter, 1500*time.Millisecond, "until its turn")
			}
		})
	}
	all.Wait()
	assert.Greater(t, refused.Load(), int64(30))
}

func TestLimiterRefusesAPlanOfNothing(t *testing.T) {
	_, err := midredis.NewLimiter(redis.NewClient(&redis.Options{}), "client-1", mid.Plan{})
	assert.ErrorAs(t, err, new(*mid.ValidationError))
}

// A process that has nothing to do at the moment has its part of the rate, too, while
// Redis is gone: it may have something to do at any time.
func TestIdleProcessesCountWithoutRedis(t *testing.T) {
	t.Parallel()
	server, account := startRedis(t), newAccount()
	plan := mid.Plan{RequestsPerMinute: 6000, Burst: 100}
	idle, busy := newLimiter(t, server.client(t), account, plan, generous), newLimiter(t, server.client(t), account, plan)
	waitAndObserve(t, idle, mid.RequestOutcome{Sent: true})
	time.Sleep(300 * time.Millisecond) // for it to want nothing any more
	waitAndObserve(t, busy, mid.RequestOutcome{Sent: true})
	server.stop()
	waitAndObserve(t, busy, mid.RequestOutcome{Sent: true}) // when it knows that Redis is gone
	begun := time.Now()
	for range 60 {
		waitAndObserve(t, busy, mid.RequestOutcome{Sent: true})
	}
	assert.Greater(t, time.Since(begun), 900*time.Millisecond, "at half of the rate, 60 requests take 1.2 s")
}

// A process whose turn is far off is not taken for dead, however slow the plan is.
func TestProcessThatWaitsForLongIsCounted(t *testing.T) {
	t.Parallel()
	rdb, account := sharedRedis(t).client(t), newAccount()
	plan := mid.Plan{RequestsPerMinute: 6, Burst: 1}
	a, b := newLimiter(t, rdb, account, plan, generous), newLimiter(t, rdb, account, plan, generous)
	waitAndObserve(t, a, mid.RequestOutcome{Sent: true})
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() { assert.ErrorIs(t, a.Wait(ctx), context.Canceled) })
	time.Sleep(6 * time.Second) // for longer than a process that has nothing to wait for may be silent
	all.Go(func() { assert.ErrorIs(t, b.Wait(ctx), context.Canceled) })
	assert.Eventually(t, func() bool {
		fields, err := rdb.HKeys(t.Context(), "mid:{"+account+"}:quota").Result()
		processes := slices.DeleteFunc(fields, func(name string) bool { return !strings.HasPrefix(name, "p:") })
		return err == nil && len(processes) == 2
	}, time.Second, 10*time.Millisecond)
	cancel()
	all.Wait()
}
