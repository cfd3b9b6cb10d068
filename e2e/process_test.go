package e2e_test

import (
	"bytes"
	"net"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// process is a server that a test runs.
type process struct {
	output *lockedBuffer
	ended  chan struct{} // closed when it has ended
}

// start runs a server until the test ends, and returns when it accepts
// connections at addr, a TCP address or the path of a socket. It runs in a process group of its own, so that what it
// started itself ends with it.
func start(t *testing.T, addr, name string, args ...string) *process {
	t.Helper()
	p := &process{output: &lockedBuffer{}, ended: make(chan struct{})}
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = p.output, p.output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = 5 * time.Second
	require.NoError(t, cmd.Start())
	go func() {
		defer close(p.ended)
		_ = cmd.Wait() // it is ended by a signal
	}()
	t.Cleanup(func() { p.stop(t, cmd.Process.Pid) })
	p.waitFor(t, addr)
	return p
}

func (p *process) waitFor(t *testing.T, addr string) {
	t.Helper()
	network := "tcp"
	if filepath.IsAbs(addr) {
		network = "unix"
	}
	for deadline := time.Now().Add(30 * time.Second); ; {
		conn, err := net.DialTimeout(network, addr, time.Second)
		if err == nil {
			conn.Close()
			return
		}
		select {
		case <-p.ended:
			require.FailNow(t, "the server ended early", "%s", p.output)
		case <-time.After(20 * time.Millisecond):
		}
		require.True(t, time.Now().Before(deadline), "nothing listens at %s: %s", addr, p.output)
	}
}

// stop ends the process group: politely first.
func (p *process) stop(t *testing.T, pid int) {
	_ = syscall.Kill(-pid, syscall.SIGTERM) // it may have ended already
	select {
	case <-p.ended:
	case <-time.After(3 * time.Second):
	}
	_ = syscall.Kill(-pid, syscall.SIGKILL) // what is left of the group
	select {
	case <-p.ended:
	case <-time.After(10 * time.Second):
		t.Error("the server did not end")
	}
	if t.Failed() {
		t.Logf("the server said:\n%s", p.output)
	}
}

// freeAddr returns a loopback address where nothing listens.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
