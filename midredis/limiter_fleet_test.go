package midredis_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midredis"
	"github.com/mobid-io/mid-go/midtest"
)

// load is the main function of a process that sends as many requests as it may.
func load(r role, stdin *bufio.Reader) error {
	rdb := r.client()
	var commands counting
	rdb.AddHook(&commands)
	limiter, err := midredis.NewLimiter(rdb, r.Account, mid.Plan{RequestsPerMinute: r.PerMin, Burst: r.Burst})
	if err != nil {
		return err
	}
	tokens, err := midredis.NewTokenCache(rdb, r.Account, r.Secret)
	if err != nil {
		return err
	}
	client, err := mid.NewClient(r.ClientID, r.Secret, mid.WithBaseURL(r.URL), mid.WithLimiter(limiter), mid.WithTokenCache(tokens))
	if err != nil {
		return err
	}
	if err := say("ready"); err != nil {
		return err
	}
	if _, err := stdin.ReadString('\n'); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(r.Seconds*float64(time.Second)))
	defer cancel()
	var served, failed atomic.Int64
	var first atomic.Value
	var all sync.WaitGroup
	for range r.Callers {
		all.Go(func() {
			for ctx.Err() == nil {
				_, err := client.Authentication.GetSession(ctx, "sess_unknown")
				switch {
				case isNotFound(err):
					served.Add(1)
				case ctx.Err() != nil || endsTooEarly(err):
					return
				default:
					failed.Add(1)
					first.CompareAndSwap(nil, err.Error())
				}
			}
		})
	}
	all.Wait()
	text, _ := first.Load().(string)
	return say(loaded{Served: served.Load(), Failed: failed.Load(), Error: text, Commands: commands.n.Load()})
}

func isNotFound(err error) bool { return errors.Is(err, mid.ErrNotFound) }

// endsTooEarly reports whether a call was refused because its turn would come after
// the end of the load.
func endsTooEarly(err error) bool { return errors.Is(err, context.DeadlineExceeded) }

// loaded is what a process says in the end.
type loaded struct {
	Served, Failed, Commands int64
	Error                    string
}

// fleetRun is what came of some processes under load.
type fleetRun struct {
	processes       []loaded
	served, refused int // by the server: its 429s
	commands        int64
	last            time.Duration // from the first request to the last
}

// loadFleet runs processes on one account at a server, and does something in the
// middle of it.
func loadFleet(t *testing.T, rdb string, srv *midtest.Server, processes int, plan mid.Plan, seconds float64, during func()) fleetRun {
	t.Helper()
	account := newAccount()
	fleet := make([]*process, processes)
	for i := range fleet {
		fleet[i] = role{
			Name: "load", Redis: rdb, Account: account, URL: srv.URL, ClientID: srv.ClientID, Secret: srv.ClientSecret,
			Seconds: seconds, Callers: 8, PerMin: plan.RequestsPerMinute, Burst: plan.Burst,
		}.start(t)
		var said string
		fleet[i].read(t, &said)
	}
	for _, p := range fleet {
		p.tell(t)
	}
	during()
	run := fleetRun{processes: make([]loaded, processes)}
	for i, p := range fleet {
		p.read(t, &run.processes[i])
		run.commands += run.processes[i].Commands
	}
	requests := srv.Requests()
	for _, r := range requests {
		if r.Status == http.StatusTooManyRequests {
			run.refused++
		} else {
			run.served++
		}
	}
	run.last = requests[len(requests)-1].Time.Sub(requests[0].Time)
	return run
}

// noneFailed checks that no call failed.
func (r fleetRun) noneFailed(t *testing.T) {
	t.Helper()
	for _, p := range r.processes {
		assert.Zero(t, p.Failed, "calls that failed: %s", p.Error)
	}
}

// fair checks that each process got its part, of the burst too.
func (r fleetRun) fair(t *testing.T) {
	t.Helper()
	least, sum := r.processes[0].Served, int64(0)
	for _, p := range r.processes {
		least, sum = min(least, p.Served), sum+p.Served
	}
	mean := float64(sum) / float64(len(r.processes))
	assert.GreaterOrEqual(t, float64(least), 0.8*mean, "the least served process, of a mean of %.0f: %+v", mean, r.processes)
}

// length is that of a load; MID_FLEET_SECONDS makes it longer.
func length(t *testing.T, seconds float64) float64 {
	t.Helper()
	text := os.Getenv("MID_FLEET_SECONDS")
	if text == "" {
		return seconds
	}
	n, err := strconv.ParseFloat(text, 64)
	require.NoError(t, err)
	return n
}

// Processes on one quota use it up, and have no 429. That of two seconds fills so soon
// that its Reset never tells it from a window.
func TestFleetSharesAQuota(t *testing.T) {
	t.Parallel()
	plan := mid.Plan{RequestsPerMinute: 1200, Burst: 200}
	seconds := length(t, 15)
	for _, tt := range []struct {
		processes int
		plan      mid.Plan
	}{
		{4, plan},
		{8, plan},
		{2, mid.Plan{RequestsPerMinute: 600, Burst: 20}},
		{4, mid.Plan{RequestsPerMinute: 600, Burst: 40}},
	} {
		t.Run(fmt.Sprintf("%d processes, %+v", tt.processes, tt.plan), func(t *testing.T) {
			t.Parallel()
			srv := midtest.NewServer(midtest.WithPlan(tt.plan))
			defer srv.Close()
			run := loadFleet(t, sharedRedis(t).addr, srv, tt.processes, tt.plan, seconds, func() {})
			allowed := float64(tt.plan.Burst) + run.last.Minutes()*float64(tt.plan.RequestsPerMinute)
			t.Logf("bucket: served %d of %.0f allowed (%.3f), %d refused, %.2f commands a request: %+v",
				run.served, allowed, float64(run.served)/allowed, run.refused, float64(run.commands)/float64(run.served), run.processes)
			assert.Zero(t, run.refused, "429s")
			assert.GreaterOrEqual(t, float64(run.served), 0.97*allowed)
			run.noneFailed(t)
			run.fair(t)
		})
	}
}

// Redis is stopped for five seconds, and comes back empty, while four processes
// send as much as they may.
func TestFleetOutlivesRedis(t *testing.T) {
	t.Parallel()
	plan := mid.Plan{RequestsPerMinute: 1200, Burst: 200}
	srv := midtest.NewServer(midtest.WithPlan(plan))
	defer srv.Close()
	server := startRedis(t)
	var back time.Duration
	run := loadFleet(t, server.addr, srv, 4, plan, length(t, 15), func() {
		time.Sleep(5 * time.Second)
		server.stop()
		time.Sleep(5 * time.Second)
		server.start(t)
		begun, rdb := time.Now(), server.client(t)
		assert.Eventually(t, func() bool {
			keys, err := rdb.Keys(context.Background(), "mid:{*}:quota").Result()
			back = time.Since(begun)
			return err == nil && len(keys) == 1
		}, 10*time.Second, 20*time.Millisecond, "the quota is not shared again")
	})
	allowed := float64(plan.Burst) + run.last.Minutes()*float64(plan.RequestsPerMinute)
	t.Logf("served %d of %.0f allowed (%.3f), %d refused, shared again after %v: %+v",
		run.served, allowed, float64(run.served)/allowed, run.refused, back, run.processes)
	run.noneFailed(t)
	assert.LessOrEqual(t, float64(run.refused), 0.01*float64(run.served), "429s")
	assert.Less(t, back, time.Second)
}

// The server counts by windows, and begins one with the first request after the
// end of the last. With a limit that is the plan's burst it looks like a bucket at
// first.
func TestFleetSharesAWindow(t *testing.T) {
	t.Parallel()
	for name, plan := range map[string]mid.Plan{
		"another limit":    {RequestsPerMinute: 1200, Burst: 1200},
		"the plan's limit": {RequestsPerMinute: 1200, Burst: 100},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := midtest.NewServer(midtest.WithQuota(100, 8*time.Second))
			defer srv.Close()
			run := loadFleet(t, sharedRedis(t).addr, srv, 4, plan, length(t, 15), func() {})
			t.Logf("served %d in %v, %d refused, %.2f commands a request: %+v",
				run.served, run.last, run.refused, float64(run.commands)/float64(run.served), run.processes)
			assert.Zero(t, run.refused, "429s")
			run.noneFailed(t)
			run.fair(t)
			assert.GreaterOrEqual(t, run.served, 195, "of two windows of 100")
		})
	}
}
