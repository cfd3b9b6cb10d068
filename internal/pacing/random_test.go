package pacing

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

var (
	seeds = flag.Int("seeds", 60, "how many random worlds TestRandomWorlds makes")
	seed  = flag.Uint64("seed", 1, "the first of their seeds")
)

// world is a server with its ways of counting and failing, and those who call it.
type world struct {
	rand    *rand.Rand
	counter counter
	plan    *Plan
	about   string
	short   bool

	callers int
	latency time.Duration
	slow    float64 // of the requests: on their way there or back
	lose    float64 // of the answers
	refuse  float64 // of the connections
	outage  time.Duration
	set     time.Duration // how far the server's clock is set in the middle

	mu       sync.Mutex
	lead     time.Duration
	granted  int
	refused  []time.Time
	went     time.Time // when the last one was let go
	last     time.Time // the latest to join of those who were let go then or before
	before   time.Time // and of those who were let go before
	disorder int
}

func newWorld(seed uint64) *world {
	r := rand.New(rand.NewPCG(seed, seed))
	w := &world{rand: r, lead: time.Duration(r.Int64N(int64(2*time.Hour))) - time.Hour}
	plans := []Plan{{60, 120}, {100, 100}, {300, 600}, {1000, 2000}}
	plan := plans[r.IntN(len(plans))]
	switch r.IntN(4) {
	case 0:
		w.counter, w.about = &windows{limit: plan.PerMinute, length: time.Minute}, "window"
	case 1:
		w.counter, w.about = &windows{limit: plan.PerMinute, length: time.Minute, floats: true}, "floating window"
	case 2:
		w.counter, w.about = &windows{limit: 5 + r.IntN(50), length: 10 * time.Second, floats: true}, "short window"
		w.short = true
	case 3:
		w.counter, w.about = &tokens{plan: plan}, "bucket"
	}
	if r.IntN(2) == 0 && !w.short {
		w.plan = &plan
	}
	w.callers = []int{1, 8, 100, 300}[r.IntN(4)]
	w.latency = time.Duration(r.Int64N(int64(500 * time.Millisecond)))
	if r.IntN(2) == 0 {
		w.slow = 0.1 * r.Float64()
	}
	if r.IntN(3) == 0 {
		w.lose = 0.1 * r.Float64()
	}
	if r.IntN(3) == 0 {
		w.refuse = 0.5 * r.Float64()
	}
	if r.IntN(4) == 0 {
		w.outage = time.Duration(r.Int64N(int64(90 * time.Second)))
	}
	if r.IntN(6) == 0 {
		w.set = time.Duration(r.Int64N(int64(2*time.Minute))) - time.Minute
	}
	w.about = fmt.Sprintf("seed %d: %s, %v, plan known: %t, callers: %d, latency: %v, slow: %.2f, lost: %.2f, refused dials: %.2f, outage: %v, clock set: %v",
		seed, w.about, plan, w.plan != nil, w.callers, w.latency, w.slow, w.lose, w.refuse, w.outage, w.set)
	return w
}

// chance is true with a probability.
func (w *world) chance(p float64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rand.Float64() < p
}

// way is how long a request or its answer takes.
func (w *world) way() time.Duration {
	way := w.latency / 2
	if w.chance(w.slow) {
		w.mu.Lock()
		defer w.mu.Unlock()
		way += time.Duration(w.rand.Int64N(int64(4 * time.Second)))
	}
	return way
}

// send is one request's way to the server and back.
func (w *world) send(down bool) Outcome {
	if w.chance(w.refuse) {
		time.Sleep(w.latency)
		return Outcome{}
	}
	time.Sleep(w.way())
	if down {
		if w.chance(0.5) {
			time.Sleep(w.way())
			return Outcome{Sent: true} // a 503 of a proxy, or no answer
		}
		time.Sleep(3 * time.Second)
		return Outcome{}
	}
	w.mu.Lock()
	now := time.Now().Add(w.lead)
	ok, q, retryAfter := w.counter.take(now)
	if ok {
		w.granted++
	} else {
		w.refused = append(w.refused, time.Now())
	}
	w.mu.Unlock()
	if w.chance(w.lose) {
		time.Sleep(5 * time.Second)
		return Outcome{Sent: true}
	}
	time.Sleep(w.way())
	return answered(ok, q, retryAfter).at(now)
}

// call waits for a turn and sends a request. Each caller comes at a microsecond of
// its own, so that their order is known.
func (w *world) call(ctx context.Context, queue *Queue, outage func() bool, caller int) bool {
	now := time.Now()
	time.Sleep(now.Truncate(callerPause).Add(callerPause + time.Duration(caller)*time.Microsecond).Sub(now))
	joined := time.Now()
	if queue.Wait(ctx, Ordinary) != nil {
		return false
	}
	w.mu.Lock()
	if now = time.Now(); now.After(w.went) {
		w.went, w.before = now, w.last
	}
	if joined.Before(w.before) {
		w.disorder++
	}
	w.last = latest(w.last, joined)
	w.mu.Unlock()
	queue.Observe(w.send(outage()))
	return true
}

// TestRandomWorlds checks, whatever happens, that no 429 comes, that the quota is
// used, that those who came first are served first, and that every place comes
// back.
//
//	go test -run TestRandomWorlds -seeds 5000 ./internal/pacing
func TestRandomWorlds(t *testing.T) {
	for n := range *seeds {
		t.Run(fmt.Sprint("seed ", *seed+uint64(n)), func(t *testing.T) {
			synctest.Test(t, newWorld(*seed+uint64(n)).run)
		})
	}
}

func (w *world) run(t *testing.T) {
	const lasts = 8 * time.Minute
	time.Sleep(time.Duration(w.rand.Int64N(int64(time.Minute))))
	queue := NewQueue(w.plan, time.Hour)
	start := time.Now()
	outage := func() bool {
		at := time.Since(start) - 3*time.Minute
		return at >= 0 && at < w.outage
	}
	ctx, cancel := context.WithTimeout(t.Context(), lasts)
	defer cancel()
	var wg sync.WaitGroup
	for caller := range w.callers {
		wg.Go(func() {
			for w.call(ctx, queue, outage, caller) {
				continue
			}
		})
	}
	if w.set != 0 {
		time.Sleep(4 * time.Minute)
		w.mu.Lock()
		w.lead += w.set
		if windows, ok := w.counter.(*windows); ok {
			windows.ends = windows.ends.Add(w.set)
		}
		if tokens, ok := w.counter.(*tokens); ok {
			tokens.full = tokens.full.Add(w.set)
		}
		w.mu.Unlock()
	}
	wg.Wait()

	require.Zero(t, w.disorder, w.about)
	require.Zero(t, queue.unanswered(), w.about)
	require.Zero(t, queue.ahead(Ordinary), w.about)
	if w.set == 0 {
		require.Empty(t, w.refused, w.about)
	}
	if w.set != 0 || w.outage != 0 {
		return
	}
	if w.callers < 100 { // slow answers and refused dials are theirs to wait for
		return
	}
	speed := float64(w.callers) / (w.latency + callerPause).Seconds()
	goodput := float64(w.granted) / w.counter.perfect(start.Add(w.lead), lasts, speed)
	// The first of eight windows may have been about to end; of a short one, the
	// second to which its end is rounded is a tenth.
	want := 0.87
	if w.short || w.lose+w.slow+w.refuse > 0 {
		want = 0.8
	}
	require.GreaterOrEqual(t, goodput, want, w.about)
}
