package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestMain is also the main function of the workers, which are this very program.
func TestMain(m *testing.M) {
	if text := os.Getenv(roleEnv); text != "" {
		if err := runWorker(text); err != nil {
			fmt.Fprintln(os.Stderr, "worker:", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// One worker is killed and Redis is stopped, and nothing is lost.
func TestFleet(t *testing.T) {
	if _, err := exec.LookPath("redis-server"); err != nil {
		const install = "redis-server is missing: apt-get install redis-server"
		if os.Getenv("MID_E2E") == "required" {
			t.Fatal(install)
		}
		t.Skip(install)
	}
	var out strings.Builder
	require.NoError(t, show(t.Context(), &out, 700*time.Millisecond), "%s", &out)
	t.Log(out.String())
	require.Contains(t, out.String(), "events: 100 sent twice each, 100 handled,")
	require.Contains(t, out.String(), ", 0 lost")
	require.Contains(t, out.String(), "worker 4 is killed")
	require.Contains(t, out.String(), "; 0 failed, ")
	require.Equal(t, 20, strings.Count(out.String(), " s   served"))
}
