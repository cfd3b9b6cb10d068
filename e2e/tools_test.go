package e2e_test

import (
	"os"
	"os/exec"
	"testing"
)

// tool returns the path of a program that a test needs. Where it is missing,
// the test ends: skipped, or failed if everything is required to run.
func tool(t *testing.T, name, install string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		missing(t, name, install)
	}
	return path
}

func missing(t *testing.T, name, install string) {
	t.Helper()
	if os.Getenv("MID_E2E") == "required" {
		t.Fatalf("%s is missing, and MID_E2E=required: %s", name, install)
	}
	t.Skipf("%s is missing: %s", name, install)
}
