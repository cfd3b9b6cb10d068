package e2e_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The environment of a process that plays a part.
const (
	partVariable = "MID_E2E_PART"
	addrVariable = "MID_E2E_ADDR"
)

// parts are what this program can be instead of the tests: a process has its own
// memory and CPU time, which the test's do not blur.
var parts = map[string]func(ctx context.Context, l net.Listener) error{
	"receiver": serveReceiver,
	"mid":      serveMID,
}

// startPart runs a part until the test ends and returns its address.
func startPart(t *testing.T, part string) string {
	t.Helper()
	program, err := os.Executable()
	require.NoError(t, err)
	addr := freeAddr(t)
	start(t, addr, "env", partVariable+"="+part, addrVariable+"="+addr, program)
	return addr
}

// play plays a part until the process is stopped, or the one that started it has
// gone.
func play(part string) {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		for parent := os.Getppid(); os.Getppid() == parent; {
			time.Sleep(time.Second)
		}
		cancel()
	}()
	l, err := net.Listen("tcp", os.Getenv(addrVariable))
	if err == nil {
		err = parts[part](ctx, l)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
