package bench

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/mobid-io/mid-go"
)

// pause is what a caller has to do between two calls. Without it time would
// stand still where the latency is zero.
const pause = time.Millisecond

// simulation is what one row of a table is made of.
type simulation struct {
	quota   func() quota
	plan    *mid.Plan // what the clients are given; may be nil
	clients int
	callers int // of each client
	latency time.Duration
	lasts   time.Duration
}

// outcome is what came of it.
type outcome struct {
	goodput float64       // granted of what was allowed
	least   float64       // the smallest share of it that a client got
	refused float64       // answers with 429, of 1,000
	failed  int           // calls that returned an error
	longest time.Duration // a call that succeeded
}

// run lets every caller call as fast as it may. It must be called in a
// synctest bubble.
func (s simulation) run() (outcome, error) {
	srv := &quotaServer{latency: s.latency, quota: s.quota()}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var (
		wg     sync.WaitGroup
		mu     sync.Mutex
		out    outcome
		start  = time.Now()
		routes []*quotaRoute
	)
	call := func(client *mid.Client) {
		began := time.Now()
		_, err := client.Authentication.GetSession(ctx, "sess_1")
		mu.Lock()
		defer mu.Unlock()
		switch {
		case err == nil:
			out.longest = max(out.longest, time.Since(began))
		case ctx.Err() == nil:
			out.failed++
		}
	}
	for range s.clients {
		route := &quotaRoute{quotaServer: srv}
		routes = append(routes, route)
		client, err := newQuotaClient(route, s.plan)
		if err != nil {
			return out, err
		}
		for range s.callers {
			wg.Go(func() {
				for ctx.Err() == nil {
					call(client)
					time.Sleep(pause)
				}
			})
		}
	}
	time.Sleep(s.lasts)
	srv.mu.Lock()
	granted, refused := srv.granted, srv.refused
	out.least = 1
	for _, route := range routes {
		out.least = min(out.least, float64(route.granted)/float64(granted))
	}
	srv.mu.Unlock()
	cancel()
	wg.Wait()
	speed := float64(s.clients*s.callers) / (s.latency + pause).Seconds()
	out.goodput = float64(granted) / srv.quota.allowed(start.Add(ahead), s.lasts, speed)
	out.refused = 1000 * float64(refused) / float64(granted+refused)
	return out, nil
}

func newQuotaClient(route http.RoundTripper, plan *mid.Plan) (*mid.Client, error) {
	// At 500 callers the last of them waits for minutes.
	patient := mid.DefaultRetryPolicy()
	patient.MaxRetryAfter = time.Hour
	opts := []mid.Option{
		mid.WithRetry(patient),
		mid.WithHTTPClient(&http.Client{Transport: route}),
		mid.WithTokenSource(staticToken{}),
		mid.WithWebhooks(mid.WebhookConfig{Secrets: []string{hookSecret}}),
	}
	if plan != nil {
		opts = append(opts, mid.WithPlan(*plan))
	}
	return mid.NewClient("", "", opts...)
}
