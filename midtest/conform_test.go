package midtest

import (
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func allPlanted() map[string]planted {
	all := make(map[string]planted)
	for _, some := range []map[string]planted{storeFaults, cacheFaults, limiterFaults, notifierFaults} {
		maps.Copy(all, some)
	}
	return all
}

const plantedFaults = "MIDTEST_PLANTED_FAULTS"

// A conformance test takes a *testing.T, whose failure fails all tests around
// it. The faulty implementations are tested in a process of their own, which must
// fail for each with the sentence that names its mistake.
func TestConformanceFindsPlantedFaults(t *testing.T) {
	if os.Getenv(plantedFaults) != "" {
		t.Skip("this is the process with the faults")
	}
	t.Parallel()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestPlantedFault$", "-test.parallel=100", "-test.timeout=3m")
	child.Env = append(os.Environ(), plantedFaults+"=1")
	output, err := child.CombinedOutput()
	require.ErrorAs(t, err, new(*exec.ExitError), "the process with the faults must fail")
	require.NotContains(t, string(output), "DATA RACE")
	require.NotContains(t, string(output), "panic:")
	for mistake, f := range allPlanted() {
		t.Run(mistake, func(t *testing.T) {
			found := failures(output, rewritten(mistake))
			require.NotEmpty(t, found, "no promise is found broken")
			require.Contains(t, slices.Collect(maps.Keys(found)), rewritten(f.promise), "%s", output)
			require.Contains(t, found[rewritten(f.promise)], f.says)
		})
	}
}

// TestPlantedFault is the process with the faults, all of which fail.
func TestPlantedFault(t *testing.T) {
	if os.Getenv(plantedFaults) == "" {
		t.Skip("its failures are what TestConformanceFindsPlantedFaults looks for")
	}
	patience = 1500 * time.Millisecond // some of the faults block
	for mistake, f := range allPlanted() {
		t.Run(mistake, func(t *testing.T) {
			t.Parallel()
			f.implementation(t, mistake)
		})
	}
}

// The implementations that the mistakes are planted in have no other mistakes.
func TestConformanceFindsNothingElse(t *testing.T) {
	t.Parallel()
	for name, implementation := range map[string]func(*testing.T, string){
		"EventStore": faultyStore, "TokenCache": faultyCache, "Limiter": faultyLimiter, "Notifier": faultyNotifier,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			implementation(t, "")
		})
	}
}

// rewritten is how package testing shows the name of a subtest.
func rewritten(name string) string {
	return strings.ReplaceAll(name, " ", "_")
}

var failedPromise = regexp.MustCompile(`(?m)^ {8}--- FAIL: TestPlantedFault/([^/]+)/(\S+) .*\n((?: {12}.*\n)*)`)

// failures are the promises that a mistake broke, with what was said of each.
func failures(output []byte, mistake string) map[string]string {
	found := make(map[string]string)
	for _, m := range failedPromise.FindAllSubmatch(output, -1) {
		if string(m[1]) == mistake {
			found[string(m[2])] = string(m[3])
		}
	}
	return found
}
