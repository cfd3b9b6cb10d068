package pacing

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// published are MID's plans.
var published = map[string]Plan{
	"Sandbox":      {60, 120},
	"Standard":     {100, 100},
	"Starter":      {300, 600},
	"Professional": {1000, 2000},
}

// callerPause is what a caller does between two calls. Without it time would
// stand still where the latency is zero.
const callerPause = time.Millisecond

// run has callers send as fast as they may, and returns what the server granted
// and refused.
func run(t *testing.T, q *Queue, srv counter, callers int, latency, lasts time.Duration) (granted, refused int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), lasts)
	defer cancel()
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for q.Wait(ctx, Ordinary) == nil {
				time.Sleep(latency / 2)
				now := time.Now().Add(lead)
				mu.Lock()
				ok, quota, retryAfter := srv.take(now)
				if ok && ctx.Err() == nil {
					granted++
				} else if !ok {
					refused++
				}
				mu.Unlock()
				time.Sleep(latency - latency/2)
				q.Observe(answered(ok, quota, retryAfter).at(now))
				time.Sleep(callerPause)
			}
		})
	}
	wg.Wait()
	return granted, refused
}

// Against every published plan, counted by windows or kept in a bucket, there is
// no 429, and 0.99 of what a perfect client would get through.
func TestGoodputOfThePublishedPlans(t *testing.T) {
	for name, plan := range published {
		for kind, server := range map[string]func() counter{
			"window": func() counter { return &windows{limit: plan.PerMinute, length: time.Minute} },
			"bucket": func() counter { return &tokens{plan: plan} },
		} {
			for _, known := range []*Plan{nil, &plan} {
				for _, callers := range []int{1, 100, 500} {
					for _, latency := range []time.Duration{0, 50 * time.Millisecond, 400 * time.Millisecond} {
						t.Run(fmt.Sprintf("%s/%s/plan=%t/%d/%v", name, kind, known != nil, callers, latency), func(t *testing.T) {
							synctest.Test(t, func(t *testing.T) {
								time.Sleep(17*time.Second + 123*time.Millisecond)
								start, lasts, srv := time.Now().Add(lead), 5*time.Minute, server()
								granted, refused := run(t, NewQueue(known, time.Hour), srv, callers, latency, lasts)
								require.Zero(t, refused)
								speed := float64(callers) / (latency + callerPause).Seconds()
								goodput := float64(granted) / srv.perfect(start, lasts, speed)
								t.Logf("goodput %.4f", goodput)
								require.GreaterOrEqual(t, goodput, 0.99)
							})
						})
					}
				}
			}
		}
	}
}
