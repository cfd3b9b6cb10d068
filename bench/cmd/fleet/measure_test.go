package main

import (
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mobid-io/mid-go"
)

// TestMain is also the main function of the processes that the tests start.
func TestMain(m *testing.M) {
	if os.Getenv(roleEnv) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func redisFor(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		const install = "redis-server is missing: apt-get install redis-server"
		if os.Getenv("MID_E2E") == "required" {
			t.Fatal(install)
		}
		t.Skip(install)
	}
	server, err := startRedis(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.stop)
	return server.addr
}

// each runs one after the other what the contestants' fleets have to show, but
// measures all of them at once, because they mostly wait.
func each[T any](t *testing.T, plan mid.Plan, measure func(fleet) (T, error), judge func(t *testing.T, name string, got T)) {
	t.Helper()
	addr, names := redisFor(t), strings.Split(allContestants, ",")
	got, errs := make([]T, len(names)), make([]error, len(names))
	var all sync.WaitGroup
	for i, name := range names {
		all.Go(func() {
			got[i], errs[i] = measure(fleet{redis: addr, contestant: name, plan: plan, processes: 2})
		})
	}
	all.Wait()
	for i, name := range names {
		t.Run(name, func(t *testing.T) {
			if errs[i] != nil {
				t.Fatal(errs[i])
			}
			t.Logf("%+v", got[i])
			judge(t, name, got[i])
		})
	}
}

func shares(name string) bool { return name == "midredis" || name == "redis_rate" }

// Every contestant is measured at the limit of a small plan.
func TestLoad(t *testing.T) {
	t.Parallel()
	plan := mid.Plan{RequestsPerMinute: 600, Burst: 20}
	each(t, plan, func(f fleet) (loaded, error) { return f.load(2) }, func(t *testing.T, name string, l loaded) {
		if l.served < plan.Burst || l.goodput > 1.06 {
			t.Errorf("served %d, goodput %.3f: the burst and at most 20 more are to be served", l.served, l.goodput)
		}
		if shares(name) != (l.trips > 0) {
			t.Errorf("%.2f round trips a request", l.trips)
		}
		if name == "midredis" && (l.served == plan.Burst || l.failed > 0) {
			t.Errorf("served %d, and %d calls failed: %s", l.served, l.failed, l.failure)
		}
	})
}

// Below the limit, every call is sent, and what it waits is measured.
func TestRoom(t *testing.T) {
	t.Parallel()
	plan := mid.Plan{RequestsPerMinute: 600, Burst: 40}
	each(t, plan, func(f fleet) (roomy, error) { return f.room(1) }, func(t *testing.T, name string, m roomy) {
		if m.calls != 20 || m.refused > 0 || m.p50 <= 0 || m.p99 < m.p50 || m.p99 > time.Minute {
			t.Error("of 20 calls, some were not made, were refused or have no delay")
		}
		if shares(name) != (m.trips > 0) || name == "redis_rate" && m.trips < 1 {
			t.Errorf("%.2f round trips a call", m.trips)
		}
	})
}

func TestLeastOfMean(t *testing.T) {
	t.Parallel()
	outcomes := []outcome{{Served: make([]time.Time, 3)}, {Served: make([]time.Time, 1)}}
	if least := leastOfMean(outcomes); least != 0.5 {
		t.Errorf("%v, not 1 of a mean of 2", least)
	}
	if least := leastOfMean(make([]outcome, 2)); least != 0 {
		t.Errorf("%v where there is nothing", least)
	}
}
