package random

import (
	"crypto/fips140"
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

func TestTextsDiffer(t *testing.T) {
	seen := make(map[string]bool)
	for range 1000 {
		text := Text()
		require.GreaterOrEqual(t, len(text), 26)
		require.Empty(t, strings.Trim(strings.ToUpper(text), "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"), "%q", text)
		require.False(t, seen[text])
		seen[text] = true
	}
}

// FIPS 140-3 mode is set when a program starts.
func TestTextsInABubbleInFIPSMode(t *testing.T) {
	if fips140.Enabled() {
		synctest.Test(t, TestTextsDiffer)
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestTextsInABubbleInFIPSMode$", "-test.timeout=1m")
	cmd.Env = append(os.Environ(), "GODEBUG=fips140=only")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
}
