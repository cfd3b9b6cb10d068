package bench

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mobid-io/mid-go/internal/pacing"
)

// TestQueue has more and more callers wait in the client's queue, half of whom
// then leave it, and the others are served. What one of them costs must not grow
// with their number.
func TestQueue(t *testing.T) {
	var b strings.Builder
	b.WriteString("\n| callers | allocations of each | CPU of each |\n| ---: | ---: | ---: |\n")
	first := 0.0
	for _, callers := range []int{1000, 10_000, 100_000} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		began := processTime()
		synctest.Test(t, func(t *testing.T) { queueUp(t, callers) })
		took := (processTime() - began) / time.Duration(callers)
		runtime.ReadMemStats(&after)
		each := float64(after.Mallocs-before.Mallocs) / float64(callers)
		fmt.Fprintf(&b, "| %d | %.1f | %.1f µs |\n", callers, each, float64(took)/float64(time.Microsecond))
		if first == 0 {
			first = each
		}
		// The runtime has goroutines to reuse for the first callers only.
		if each > 2*first && !raceEnabled {
			t.Errorf("%d callers: %.1f allocations each, %.1f at 1,000 callers", callers, each, first)
		}
	}
	t.Log(b.String())
}

// queueUp also covers the goroutines of the callers.
func queueUp(t *testing.T, callers int) {
	q := pacing.NewQueue(nil, 24*time.Hour)
	if err := q.Wait(t.Context(), pacing.Ordinary); err != nil {
		t.Fatal(err)
	}
	q.Observe(pacing.Outcome{Sent: true, Answered: true,
		Quota: pacing.Quota{Limit: callers / 2, Reset: time.Now().Add(time.Minute)},
		Date:  time.Now().UTC().Format(http.TimeFormat)})
	ctx, cancel := context.WithCancel(t.Context())
	var served, left sync.WaitGroup
	for range callers / 2 {
		served.Go(func() {
			if err := q.Wait(t.Context(), pacing.Ordinary); err != nil {
				t.Error(err)
			}
			q.Observe(pacing.Outcome{Sent: true})
		})
		left.Go(func() {
			if q.Wait(ctx, pacing.Ordinary) == nil {
				t.Error("a caller was served who should have waited")
			}
		})
	}
	synctest.Wait()
	cancel()
	left.Wait()
	served.Wait()
}
