package midredis

import (
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
		w := &waiter{ready: make(chan error, 1)}
		w.place = l.waiters.PushBack(w)
	}
}

// An answer of Redis makes no permit younger: it would never go back.
func TestPermitsInHandStayOld(t *testing.T) {
	now := time.Now()
	l := newState(t, now)
	old := now.Add(-leaseLife / 2)
	l.permits = []time.Time{old}
	l.receive(taken{permits: 1, first: -time.Minute}, now)
	assert.Equal(t, []time.Time{old, now}, l.permits)
}

// A permit that goes back is the next caller's, not one that comes after the queue.
func TestTurnWithAPermitThatGoesBack(t *testing.T) {
	now := time.Now()
	l := newState(t, now)
	l.retry, l.free = now, now.Add(5*time.Second)
	assert.Equal(t, now.Add(6*time.Second), l.turn(1))
	l.report.back = 1
	assert.Equal(t, now, l.turn(0))
	assert.Equal(t, now.Add(5*time.Second), l.turn(1))
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
	l.permits = []time.Time{now.Add(3 * time.Second), now.Add(6 * time.Second)}
	l.retry = l.permits[1]
	then := l.permits[0]
	assert.Equal(t, then, l.due())
	l.dispatch(then)
	assert.Equal(t, 3, l.waiters.Len())
	l.asking = true
	assert.True(t, l.next(then).After(then), "it looks again at once")
	l.asking = false
	l.receive(taken{}, then)
	assert.Equal(t, 2, l.waiters.Len())
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

// What is left of a pause after an outage of Redis is what Redis hears of it.
func TestPauseOfAnOutage(t *testing.T) {
	rdb := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1})
	t.Cleanup(func() { _ = rdb.Close() })
	l, err := NewLimiter(rdb, "client-1", mid.PlanSandbox)
	require.NoError(t, err)
	l.running = true
	l.pause = time.Now().Add(time.Minute)
	l.ask(0, 0, unknownServer, report{pause: 2 * time.Minute})
	assert.InDelta(t, time.Minute, l.report.pause, float64(time.Second))
	l.pause = time.Now().Add(-time.Second)
	l.ask(0, 0, unknownServer, report{pause: 2 * time.Minute})
	assert.Zero(t, l.report.pause)
}
