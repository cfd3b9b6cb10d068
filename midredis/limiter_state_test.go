package midredis

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// newState returns a limiter of a permit a second, that Redis has answered last a
// moment ago, with no goroutine.
func newState(t *testing.T, now time.Time) *Limiter {
	t.Helper()
	rdb := redis.NewClient(&redis.Options{})
	t.Cleanup(func() { _ = rdb.Close() })
	l, err := NewLimiter(rdb, "client-1", mid.PlanSandbox)
	require.NoError(t, err)
	l.asked, l.heard, l.running = now, now, true
	return l
}

// queue adds callers that have no deadline.
func (l *Limiter) queue(n int) {
	for range n {
		l.callers.join(context.Background())
	}
}

// An answer of Redis makes no permit younger: it would never go back.
func TestPermitsInHandStayOld(t *testing.T) {
	now := time.Now()
	l := newState(t, now)
	old := now.Add(-leaseLife / 2)
	l.permits = permits{{at: old}}
	l.receive(taken{permits: 1, first: -time.Minute}, now)
	assert.Equal(t, permits{{at: old}, {at: now}}, l.permits)
}

// A permit that goes back brings the turns of all forward.
func TestTurnWithAPermitThatGoesBack(t *testing.T) {
	now := time.Now()
	l := newState(t, now)
	l.retry, l.free = now.Add(time.Minute), now.Add(5*time.Second)
	assert.Equal(t, l.retry, l.turn(1))
	l.report.back = 1
	assert.Equal(t, now.Add(4*time.Second), l.turn(0))
	assert.Equal(t, now.Add(5*time.Second), l.turn(1))
	l.report.back = 6
	assert.Equal(t, now.Add(reportAfter), l.turn(0), "when Redis hears of it")
}

// A permit that a request did not use is the next caller's. The latest in hand goes
// back if it is not needed any more.
func TestUnusedPermit(t *testing.T) {
	now := time.Now()
	l := newState(t, now)
	l.queue(3)
	l.permits = permits{{at: now.Add(time.Second)}, {at: now.Add(2 * time.Second)}}
	l.unused(now)
	assert.Equal(t, 2, l.callers.len())
	assert.Equal(t, []int{2, 0}, []int{len(l.permits), l.report.back})
	l.unused(now)
	assert.Equal(t, 1, l.callers.len())
	assert.Equal(t, permits{{at: now.Add(time.Second)}}, l.permits)
	assert.Equal(t, 1, l.report.back)
	l.unused(now)
	assert.Zero(t, l.callers.len())
	assert.Empty(t, l.permits)
	assert.Equal(t, 2, l.report.back)
	l.unused(now)
	assert.Equal(t, 3, l.report.back)
}

// Redis' permits are used in their order, also if a later answer has an earlier one.
func TestEarlierPermitComesFirst(t *testing.T) {
	now := time.Now()
	l := newState(t, now)
	l.queue(2)
	l.permits = permits{{at: now.Add(5 * time.Second)}}
	l.receive(taken{permits: 1, first: time.Second}, now)
	assert.Equal(t, permits{{at: now.Add(time.Second)}, {at: now.Add(5 * time.Second)}}, l.permits)
	assert.Equal(t, 5*time.Second, l.permits.until(now))
}

// An outage costs a process the permits of its own share, and not those of Redis.
func TestPermitsAfterAnOutage(t *testing.T) {
	now := time.Now()
	l := newState(t, now)
	l.permits = permits{{at: now}, {at: now.Add(time.Second), local: true}, {at: now.Add(2 * time.Second)}}
	l.receive(taken{}, now)
	assert.Equal(t, permits{{at: now}, {at: now.Add(2 * time.Second)}}, l.permits)
	assert.Zero(t, permits(nil).until(now))
	assert.Zero(t, permits{{at: now.Add(-time.Second)}}.until(now))
}

// While the limiter waits for an answer of the server, the time of its next look is no
// reason to refuse anyone.
func TestTurnWhileAnAnswerIsToCome(t *testing.T) {
	now := time.Now()
	l := newState(t, now)
	for range 4 {
		l.receive(taken{wait: poll}, now)
	}
	assert.Equal(t, now.Add(8*poll), l.retry)
	assert.False(t, l.turn(0).After(now))
	l.pause = now.Add(time.Second)
	assert.Equal(t, l.pause, l.turn(0))
}

// Redis is asked before a permit is used that has been in hand for long, and the
// answer is waited for without looking again and again.
func TestPermitOfLongAgo(t *testing.T) {
	now := time.Now()
	l := newState(t, now)
	l.queue(3)
	l.permits = permits{{at: now.Add(3 * time.Second)}, {at: now.Add(6 * time.Second)}}
	l.retry = l.permits[1].at
	then := l.permits[0].at
	assert.Equal(t, then, l.due())
	l.dispatch(then)
	assert.Equal(t, 3, l.callers.len())
	l.asking = true
	assert.True(t, l.next(then).After(then), "it looks again at once")
	l.asking = false
	l.receive(taken{}, then)
	assert.Equal(t, 2, l.callers.len())
}

// What goes back is of use to others while callers wait here.
func TestPermitsGoBackSoon(t *testing.T) {
	now := time.Now()
	l := newState(t, now)
	l.queue(1)
	l.retry = now.Add(time.Minute)
	assert.Equal(t, l.retry, l.due())
	l.report.back = 1
	assert.Equal(t, now.Add(reportAfter), l.due())
}

// A permit of the process' own share is not of Redis' bucket, and does not go back there.
func TestOwnShareDoesNotGoBack(t *testing.T) {
	now := time.Now()
	l := newState(t, now)
	l.health.down.Store(true)
	l.unused(now)
	l.permits = permits{{at: now.Add(-time.Second), local: true}, {at: now.Add(-time.Second)}}
	l.expire(now)
	assert.Empty(t, l.permits)
	assert.Equal(t, 1, l.report.back)
}

// asked is a hook that keeps what a client sends, and answers that Redis is gone.
type asked chan []any

func (a asked) DialHook(next redis.DialHook) redis.DialHook { return next }

func (a asked) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (a asked) ProcessHook(redis.ProcessHook) redis.ProcessHook {
	return func(_ context.Context, cmd redis.Cmder) error {
		a <- cmd.Args()
		return errReply
	}
}

// A report says how long the process has permits for later, so that it is not taken for
// dead before.
func TestReportSaysHowLongPermitsAreHeld(t *testing.T) {
	now := time.Now()
	l := newState(t, now)
	sent := make(asked, 1)
	l.link.rdb.AddHook(sent)
	l.queue(1)
	l.permits = permits{{at: now.Add(9 * time.Second)}}
	l.mu.Lock()
	l.work(now.Add(time.Minute))
	l.mu.Unlock()
	args := <-sent
	assert.EqualValues(t, 0, args[len(args)-1])

	l = newState(t, now)
	l.link.rdb.AddHook(sent)
	l.queue(1)
	l.permits = permits{{at: now.Add(9 * time.Second)}}
	l.report.back = 1
	l.asked = now.Add(-reportAfter)
	l.mu.Lock()
	l.work(now)
	l.mu.Unlock()
	args = <-sent
	assert.Equal(t, (9 * time.Second).Microseconds(), args[len(args)-1])
}

// What is left of a pause after an outage of Redis is what Redis hears of it.
func TestPauseOfAnOutage(t *testing.T) {
	rdb := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1})
	t.Cleanup(func() { _ = rdb.Close() })
	l, err := NewLimiter(rdb, "client-1", mid.PlanSandbox)
	require.NoError(t, err)
	l.running = true
	l.pause = time.Now().Add(time.Minute)
	l.ask(0, 0, 0, unknownServer, report{pause: 2 * time.Minute})
	assert.InDelta(t, time.Minute, l.report.pause, float64(time.Second))
	l.pause = time.Now().Add(-time.Second)
	l.ask(0, 0, 0, unknownServer, report{pause: 2 * time.Minute})
	assert.Zero(t, l.report.pause)
}
