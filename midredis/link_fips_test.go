package midredis_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// All four work where only what FIPS 140 allows is allowed.
func TestUnderFIPS140(t *testing.T) {
	t.Parallel()
	sharedRedis(t) // or it is skipped
	program, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(program, "-test.run", "^Test(EventStore|Notifier|TokenCache|Limiter)Conforms$", "-test.v")
	cmd.Env = append(os.Environ(), "GODEBUG=fips140=only", "MID_E2E=required")
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", output)
	for _, part := range []string{"EventStore", "Notifier", "TokenCache", "Limiter"} {
		require.Contains(t, string(output), "--- PASS: Test"+part+"Conforms")
	}
}
