package browser_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// patience is how long a page may take to show what it should. It is long, for
// machines that are busy with other tests; nothing waits for it to pass.
const (
	patience = time.Minute
	pause    = 20 * time.Millisecond // between looks
)

// TestMain ends what the tests share, and fails the run if something of it, or
// of a test, is left.
func TestMain(m *testing.M) {
	if os.Getenv(siteAddr) != "" {
		if err := runSite(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	code := m.Run()
	if err := shared.close(); err != nil {
		fmt.Fprintln(os.Stderr, "Chromium did not end well:", err)
		code = 1
	}
	if err := programs.close(); err != nil {
		fmt.Fprintln(os.Stderr, "the programs are left over:", err)
		code = 1
	}
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}
