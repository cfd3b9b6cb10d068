package bench

import (
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

// TestGoodput is one client that tries to go as fast as it may, told of its
// plan or by the headers alone; then two clients that use up one quota and know
// nothing of each other.
func TestGoodput(t *testing.T) {
	t.Run("plan", func(t *testing.T) {
		goodputTable(t, 1, &mid.PlanStandard, goal{goodput: 0.99})
	})
	t.Run("headers", func(t *testing.T) {
		goodputTable(t, 1, nil, goal{goodput: 0.97, refused: 1})
	})
	t.Run("headers of two", func(t *testing.T) {
		goodputTable(t, 2, nil, goal{goodput: 0.92, refused: 1000, share: 1. / 3})
	})
	// Each paces itself to the whole quota, which a plan is not meant for: they
	// need not be fair then, but must not stop.
	t.Run("plans of two", func(t *testing.T) {
		goodputTable(t, 2, &mid.PlanStandard, goal{goodput: 0.9, refused: 1000})
	})
}

// goodputTable prints a row for every kind of server, latency and number of callers.
func goodputTable(t *testing.T, clients int, plan *mid.Plan, want goal) {
	var b strings.Builder
	b.WriteString("\n| server | latency | callers | goodput | least share | 429s of 1,000 | longest call | failed calls |\n" +
		"| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n")
	for _, s := range quotas {
		for _, latency := range []time.Duration{0, 50 * time.Millisecond, 400 * time.Millisecond} {
			for _, callers := range []int{1, 8, 64} {
				sim := simulation{
					quota:   func() quota { return s.quota(mid.PlanStandard) },
					plan:    plan,
					clients: clients,
					callers: callers,
					latency: latency,
					lasts:   length(s.name, clients),
				}
				out := worst(t, sim)
				row := fmt.Sprintf("%s | %v | %d", s.name, latency, callers)
				fmt.Fprintf(&b, "| %s | %.3f | %.2f | %.1f | %.1f s | %d |\n",
					row, out.goodput, out.least, out.refused, out.longest.Seconds(), out.failed)
				want.check(t, row, out)
			}
		}
	}
	t.Log(b.String())
}

// length is how long a table's rows last. What is left in a bucket at the end
// is a good part of a few minutes, so that it takes longer, and the longer the
// closer its goal is.
func length(server string, clients int) time.Duration {
	switch {
	case server != "bucket":
		return 10 * time.Minute
	case clients > 1:
		return 30 * time.Minute
	}
	return 2 * time.Hour
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
