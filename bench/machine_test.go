package bench

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain ends a run with a line on how much of the machine others took
// meanwhile, by which cmd/report tells quiet rounds from disturbed ones.
func TestMain(m *testing.M) {
	busy, all := machineTime()
	own := processTime()
	code := m.Run()
	busyAfter, allAfter := machineTime()
	if all := allAfter - all; all > 0 {
		others := busyAfter - busy - (processTime() - own)
		fmt.Printf("# others %.1f\n", max(0, 100*float64(others)/float64(all)))
	}
	os.Exit(code)
}

// processTime is the processor time that this process has taken: steadier than
// the wall clock where processors are shared.
func processTime() time.Duration {
	var used syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &used) != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// machineTime is the time that all processors have been busy, and all of it;
// zeros where the system does not tell.
func machineTime() (busy, all time.Duration) {
	const tick = 10 * time.Millisecond
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0
	}
	line, _, _ := strings.Cut(string(stat), "\n")
	fields := strings.Fields(line)
	// user nice system idle iowait irq softirq steal; what follows is counted
	// in these already.
	for i, field := range fields[min(1, len(fields)):min(9, len(fields))] {
		ticks, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, 0
		}
		all += time.Duration(ticks) * tick
		if i != 3 && i != 4 {
			busy += time.Duration(ticks) * tick
		}
	}
	return busy, all
}
