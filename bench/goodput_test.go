package bench

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mobid-io/mid-go"
)

// goal is what the outcomes of a table must come to.
type goal struct {
	goodput float64 // at least
	refused float64 // at most, of 1,000 answers
	share   float64 // at least, of each client
}

// quotas are the ways of counting that a client may meet, for one plan.
var quotas = []struct {
	name  string
	quota func(mid.Plan) quota
}{
	{"bucket", func(p mid.Plan) quota { return newBucket(p) }},
	{"minute window", func(p mid.Plan) quota {
		return &window{limit: p.RequestsPerMinute, length: time.Minute}
	}},
	{"floating window", func(p mid.Plan) quota {
		return &window{limit: p.RequestsPerMinute, length: time.Minute, floats: true}
	}},
}

// plans are the published ones.
var plans = []struct {
	name string
	plan mid.Plan
}{
	{"Sandbox", mid.PlanSandbox},
	{"Standard", mid.PlanStandard},
	{"Starter", mid.PlanStarter},
	{"Professional", mid.PlanProfessional},
}

var latencies = []time.Duration{0, 50 * time.Millisecond, 400 * time.Millisecond}

// TestGoodput is one client that goes as fast as it may, by its plan or by the
// headers only, on every published plan. A server counts by windows of whole
// minutes, or keeps the plan's bucket. The goals are the promise: no 429, and
// 0.99 of what a perfect client gets.
func TestGoodput(t *testing.T) {
	for _, p := range plans {
		for _, known := range []*mid.Plan{&p.plan, nil} {
			by := "headers"
			if known != nil {
				by = "plan"
			}
			t.Run(p.name+"/"+by, func(t *testing.T) { goodputRows(t, p.plan, known) })
		}
	}
}

// goodputRows prints a row for every kind of server and number of callers.
func goodputRows(t *testing.T, plan mid.Plan, known *mid.Plan) {
	var b strings.Builder
	b.WriteString("\n| server | callers | goodput at 0 ms | at 50 ms | at 400 ms | 429s | failed calls | longest call |\n" +
		"| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n")
	for _, s := range quotas[:2] {
		for _, callers := range []int{1, 100, 500} {
			fmt.Fprintf(&b, "| %s | %d |", s.name, callers)
			var whole outcome
			for _, latency := range latencies {
				out := simulate(t, simulation{
					quota:   func() quota { return s.quota(plan) },
					plan:    known,
					clients: 1,
					callers: callers,
					latency: latency,
					lasts:   5 * time.Minute,
				})
				goal{goodput: 0.99}.check(t, fmt.Sprintf("%s, %d callers, %v", s.name, callers, latency), out)
				fmt.Fprintf(&b, " %.4f |", out.goodput)
				whole.refused += out.refused
				whole.failed += out.failed
				whole.longest = max(whole.longest, out.longest)
			}
			if whole.failed > 0 {
				t.Errorf("%s, %d callers: %d calls failed", s.name, callers, whole.failed)
			}
			fmt.Fprintf(&b, " %.0f | %d | %.1f s |\n", whole.refused, whole.failed, whole.longest.Seconds())
		}
	}
	t.Log(b.String())
}

// TestVerifications makes the requests of 300 verifications on the Sandbox plan,
// five each (two pictures, a selfie, the start, the result), from ten callers, and holds the time to 3 % more than the quota's own arithmetic.
func TestVerifications(t *testing.T) {
	const calls, callers = 300 * 5, 10
	var b strings.Builder
	b.WriteString("\n| server | paced by | takes | the quota's arithmetic | x | 429s |\n| --- | --- | ---: | ---: | ---: | ---: |\n")
	for _, s := range quotas[:2] {
		for _, known := range []*mid.Plan{&mid.PlanSandbox, nil} {
			by := "headers"
			if known != nil {
				by = "plan"
			}
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(17*time.Second + 123*time.Millisecond)
				srv := &quotaServer{latency: 50 * time.Millisecond, quota: s.quota(mid.PlanSandbox)}
				client, err := newQuotaClient(&quotaRoute{quotaServer: srv}, known)
				if err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				least := s.quota(mid.PlanSandbox).takes(start.Add(ahead), calls)
				err = together(callers, calls/callers, func(ctx context.Context) error {
					_, err := client.Authentication.GetSession(ctx, "sess_1")
					return err
				})
				if err != nil {
					t.Error(err)
				}
				took := time.Since(start)
				x := took.Seconds() / least.Seconds()
				fmt.Fprintf(&b, "| %s | %s | %.1f s | %.1f s | %.3f | %d |\n", s.name, by, took.Seconds(), least.Seconds(), x, srv.refused)
				if x > 1.03 || srv.refused > 0 {
					t.Errorf("%s, by the %s: %.3f times as long as it must be, %d refused", s.name, by, x, srv.refused)
				}
			})
		}
	}
	t.Log(b.String())
}

// TestTwoClients has two clients use up one quota without knowing of each other.
// Then 429s can't be avoided.
func TestTwoClients(t *testing.T) {
	want := goal{goodput: 0.92, refused: 1000, share: 1. / 3}
	t.Run("headers", func(t *testing.T) { twoClients(t, nil, want) })
	// Each paces itself to the whole quota.
	t.Run("plans", func(t *testing.T) { twoClients(t, &mid.PlanStandard, want) })
}

func twoClients(t *testing.T, plan *mid.Plan, want goal) {
	var b strings.Builder
	b.WriteString("\n| server | latency | callers | goodput | least share | 429s of 1,000 | longest call | failed calls |\n" +
		"| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n")
	for _, s := range quotas {
		for _, latency := range latencies {
			for _, callers := range []int{1, 8, 64} {
				out := worst(t, simulation{
					quota:   func() quota { return s.quota(mid.PlanStandard) },
					plan:    plan,
					clients: 2,
					callers: callers,
					latency: latency,
					lasts:   length(s.name),
				})
				row := fmt.Sprintf("%s | %v | %d", s.name, latency, callers)
				fmt.Fprintf(&b, "| %s | %.3f | %.2f | %.1f | %.1f s | %d |\n",
					row, out.goodput, out.least, out.refused, out.longest.Seconds(), out.failed)
				want.check(t, row, out)
			}
		}
	}
	t.Log(b.String())
}

// length is how long a row of two clients lasts. What is left in a bucket at the
// end is a good part of a few minutes, so that it takes longer.
func length(server string) time.Duration {
	if server == "bucket" {
		return 30 * time.Minute
	}
	return 10 * time.Minute
}

// worst is the worst of some runs: who of several clients is first, and how
// long it backs off, is left to chance.
func worst(t *testing.T, sim simulation) outcome {
	t.Helper()
	out := simulate(t, sim)
	for range 2 * (sim.clients - 1) {
		again := simulate(t, sim)
		out.goodput, out.least = min(out.goodput, again.goodput), min(out.least, again.least)
		out.refused, out.longest = max(out.refused, again.refused), max(out.longest, again.longest)
		out.failed = max(out.failed, again.failed)
	}
	return out
}

func simulate(t *testing.T, sim simulation) (out outcome) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		// Not at a whole second, nor at a whole minute.
		time.Sleep(17*time.Second + 123*time.Millisecond)
		var err error
		if out, err = sim.run(); err != nil {
			t.Fatal(err)
		}
	})
	return out
}

func (g goal) check(t *testing.T, row string, out outcome) {
	t.Helper()
	if out.goodput < g.goodput {
		t.Errorf("%s: goodput %.3f, want at least %.2f", row, out.goodput, g.goodput)
	}
	if out.refused > g.refused {
		t.Errorf("%s: %.1f of 1,000 answers were 429, want at most %.0f", row, out.refused, g.refused)
	}
	if out.least < g.share {
		t.Errorf("%s: a client got %.2f of it, want at least %.2f", row, out.least, g.share)
	}
}
