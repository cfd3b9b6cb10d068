package pacing

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A bucket that others have emptied is waited for until the next token comes in,
// and not until it is full: others would use it up until then.
func TestEmptiedBucketIsUsedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, srv := NewQueue(nil, time.Hour), &tokens{plan: published["Sandbox"]}
		for range 119 {
			q.send(t, srv)
		}
		require.Equal(t, refilling, q.window.state)
		require.NoError(t, q.Wait(t.Context(), Ordinary))
		now := time.Now().Add(lead)
		for range 30 {
			srv.take(now)
		}
		o := answered(srv.take(now)).at(now)
		require.NotZero(t, o.RetryAfter)
		q.Observe(o)
		require.Equal(t, refilling, q.window.state)
		require.Less(t, time.Until(q.turn(time.Now(), 0)), 5*time.Second)
	})
}

// A refusal that lasts until Reset is a window's, whatever the reports before it
// looked like.
func TestRefusalUntilResetIsAWindows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, srv := NewQueue(nil, time.Hour), &tokens{plan: published["Sandbox"]}
		for range 119 {
			q.send(t, srv)
		}
		require.Equal(t, refilling, q.window.state)
		require.NoError(t, q.Wait(t.Context(), Ordinary))
		now := time.Now().Add(lead)
		_, quota, _ := srv.take(now)
		quota.Remaining = 0
		q.Observe(answered(false, quota, quota.Reset.Sub(now)).at(now))
		require.Equal(t, counting, q.window.state)
		require.Greater(t, time.Until(q.turn(time.Now(), 0)), 100*time.Second)
	})
}

// Clients that know nothing of each other take turns at one bucket: each finds the
// token that the others leave in it.
func TestClientsTakeTurnsAtABucket(t *testing.T) {
	for _, clients := range []int{2, 3, 5} {
		synctest.Test(t, func(t *testing.T) {
			srv := &shared{counter: &tokens{plan: published["Starter"]}}
			served, refused := make([]int, clients), make([]int, clients)
			end := time.Now().Add(20 * time.Minute)
			var all sync.WaitGroup
			for n := range served {
				all.Go(func() {
					for q := NewQueue(nil, time.Hour); time.Now().Before(end); {
						if q.send(t, srv).RetryAfter == 0 {
							served[n]++
						} else {
							refused[n]++
						}
					}
				})
				time.Sleep(7 * time.Millisecond)
			}
			all.Wait()
			sum, least, wasted := 0, served[0], 0
			for n := range served {
				sum, least, wasted = sum+served[n], min(least, served[n]), wasted+refused[n]
			}
			require.Less(t, wasted, sum/4, "refusals, of %d that were served", sum)
			require.GreaterOrEqual(t, float64(sum), 0.98*srv.perfect(end, 20*time.Minute, 1000))
			// Two take turns exactly. More meet by chance, and one that comes late learns
			// only at a Reset, after two minutes, that it is a bucket.
			fair := 0.8
			if clients > 2 {
				fair = 0.1
			}
			require.GreaterOrEqual(t, float64(least), fair*float64(sum)/float64(clients), "%v", served)
		})
	}
}

// shared is a server that several clients use.
type shared struct {
	mu sync.Mutex
	counter
}

func (s *shared) take(now time.Time) (bool, Quota, time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counter.take(now)
}
