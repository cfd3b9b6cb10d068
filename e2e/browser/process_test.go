package browser_test

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// process is a program that a test runs, until the test ends.
type process struct {
	cmd    *exec.Cmd
	output *output
	ended  chan struct{} // closed when it has ended
	err    error         // how it ended
}

// start runs a program and returns once it has printed the given text.
func start(t *testing.T, ready string, env []string, name string, args ...string) *process {
	t.Helper()
	p := &process{output: &output{}, ended: make(chan struct{})}
	p.cmd = exec.Command(name, args...)
	p.cmd.Env = env
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	p.cmd.WaitDelay = 5 * time.Second
	require.NoError(t, p.cmd.Start())
	go func() {
		defer close(p.ended)
		p.err = p.cmd.Wait()
	}()
	t.Cleanup(func() { p.stop(t) })
	for deadline := time.Now().Add(patience); !strings.Contains(p.output.String(), ready); {
		select {
		case <-p.ended:
			require.FailNow(t, "the program ended early", "%v\n%s", p.err, p.output)
		case <-time.After(pause):
		}
		require.True(t, time.Now().Before(deadline), "the program is not ready:\n%s", p.output)
	}
	return p
}

// kill ends the program as a machine does that fails.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended already
	<-p.ended
	p.err = nil // that is how it ends
}

// stop presses Ctrl-C. That must end the program well, even with clients connected.
func (p *process) stop(t *testing.T) {
	_ = p.cmd.Process.Signal(os.Interrupt) // it may have ended already
	select {
	case <-p.ended:
		assert.NoError(t, p.err, "the program did not end well")
	case <-time.After(15 * time.Second):
		t.Error("Ctrl-C does not end the program")
		_ = p.cmd.Process.Kill() // as above
		<-p.ended
	}
	if t.Failed() {
		t.Logf("%s said:\n%s", p.cmd.Path, p.output)
	}
}

// after returns the word that the program printed after a label.
func (p *process) after(t *testing.T, label string) string {
	t.Helper()
	_, rest, found := strings.Cut(p.output.String(), label)
	words := strings.Fields(rest)
	require.True(t, found && len(words) > 0, "no %q in:\n%s", label, p.output)
	return words[0]
}

// output collects what a program prints.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}
