package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"
)

// machine says what the figures were measured on.
func machine() string {
	cpu := "an unknown model"
	info, _ := os.ReadFile("/proc/cpuinfo") // other systems have none
	for line := range strings.Lines(string(info)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			cpu = strings.TrimSpace(value)
			break
		}
	}
	return fmt.Sprintf("%s %s/%s, %d CPUs (%s)", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), cpu)
}

// roomTable measures one fleet after the other, so that they do not delay each other.
func roomTable(ctx context.Context, s scope, redis string, out io.Writer) error {
	fmt.Fprintf(out, "\n### Below the limit\n\n")
	fmt.Fprintln(out, "| plan | processes | contestant | calls | until sent, p50 | p99 | round trips a call | 429s |")
	fmt.Fprintln(out, "| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: |")
	for _, plan := range s.plans {
		for _, contestant := range s.contestants {
			if err := ctx.Err(); err != nil {
				return err
			}
			m, err := fleet{redis: redis, contestant: contestant, plan: plans[plan], processes: s.roomProcesses}.room(s.room)
			if err != nil {
				return err
			}
			fmt.Fprintf(out, "| %s | %d | %s | %d | %s | %s | %.2f | %d |\n",
				plan, s.roomProcesses, contestant, m.calls, ms(m.p50), ms(m.p99), m.trips, m.refused)
		}
	}
	return nil
}

// loadTables measures the plans side by side, because a fleet at its limit mostly
// waits.
func loadTables(ctx context.Context, s scope, redis string, out io.Writer) error {
	rows := make([][]string, len(s.plans))
	errs := make([]error, len(s.plans))
	for _, contestant := range s.contestants {
		for _, processes := range s.processes {
			var all sync.WaitGroup
			for i, plan := range s.plans {
				all.Go(func() {
					f := fleet{redis: redis, contestant: contestant, plan: plans[plan], processes: processes}
					var l loaded
					if l, errs[i] = f.load(s.seconds); errs[i] == nil {
						rows[i] = append(rows[i], l.row(contestant, processes))
					}
				})
			}
			all.Wait()
			if err := errors.Join(append([]error{ctx.Err()}, errs...)...); err != nil {
				return err
			}
		}
	}
	for i, plan := range s.plans {
		p := plans[plan]
		fmt.Fprintf(out, "\n### At the limit of %s: %d requests a minute, %d at once, for %g seconds\n\n",
			plan, p.RequestsPerMinute, p.Burst, s.seconds)
		fmt.Fprintln(out, "| contestant | processes | served | goodput | 429s | failed calls | least served of the mean | round trips a request |")
		fmt.Fprintln(out, "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
		for _, row := range rows[i] {
			fmt.Fprintln(out, row)
		}
	}
	return nil
}

func (l loaded) row(contestant string, processes int) string {
	return fmt.Sprintf("| %s | %d | %d | %.3f | %d | %d | %.2f | %.2f |",
		contestant, processes, l.served, l.goodput, l.refused, l.failed, l.least, l.trips)
}

func ms(d time.Duration) string { return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond)) }
