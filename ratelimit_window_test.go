package mid_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// hurry has callers make calls for some time, as fast as they may.
func hurry(t *testing.T, clients []*mid.Client, callers int, lasts time.Duration) {
	t.Helper()
	start := time.Now()
	var wg sync.WaitGroup
	for _, c := range clients {
		for range callers {
			wg.Go(func() {
				for time.Since(start) < lasts {
					_ = look(t.Context(), c)
					time.Sleep(time.Millisecond)
				}
			})
		}
	}
	wg.Wait()
}

// A server may count in fixed windows what the plan calls a rate and a burst.
// With a plan there is no 429 then either.
func TestPlanFollowsAFixedWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &window{limit: 100, length: time.Minute, latency: 50 * time.Millisecond}
		c := (&api{handle: w.handle}).client(t, staticToken(), mid.WithPlan(mid.PlanStandard))
		time.Sleep(17 * time.Second)
		hurry(t, []*mid.Client{c}, 8, 5*time.Minute)
		require.Zero(t, w.refused)
		require.GreaterOrEqual(t, w.served, 495)
	})
}

// Headers alone use the whole window too, however far its end and the
// answers' whole seconds are apart.
func TestHeadersUseTheWholeWindow(t *testing.T) {
	for _, latency := range []time.Duration{0, 400 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(17*time.Second + 123*time.Millisecond)
			w := &window{limit: 100, length: time.Minute, latency: latency, skew: 37*time.Second + 400*time.Millisecond}
			c := (&api{handle: w.handle}).client(t, staticToken())
			hurry(t, []*mid.Client{c}, 64, 5*time.Minute)
			require.Zero(t, w.refused)
			require.GreaterOrEqual(t, w.served, 485)
		})
	}
}

// Of two clients that share a quota without knowing it none is left with
// nothing: who has had a window lets the other begin the next.
func TestClientsThatShareAQuotaUnknowingly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &window{limit: 100, length: time.Minute}
		one := &api{handle: w.handle}
		two := &api{handle: w.handle}
		hurry(t, []*mid.Client{one.client(t, staticToken()), two.client(t, staticToken())}, 8, 10*time.Minute)
		require.GreaterOrEqual(t, w.served, 920)
		require.GreaterOrEqual(t, min(len(one.sent()), len(two.sent())), 307)
	})
}
