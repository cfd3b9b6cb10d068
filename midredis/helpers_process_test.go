package midredis_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

// roleEnv says, as JSON, what a process of the test binary is.
const roleEnv = "MIDREDIS_TEST_ROLE"

// role is one process of a fleet.
type role struct {
	Name             string
	Redis            string // host and port
	Account          string
	URL              string // of the server that it calls
	ClientID, Secret string
	WebhookSecret    string
	Callback         string // where its sessions' events go; empty for itself
	Seconds          float64
	Callers          int
	PerMin           int
	Burst            int
}

// roles are the main functions of the processes. They write to their standard
// output, wait for a line of their standard input, and end when it ends.
var roles = map[string]func(role, *bufio.Reader) error{
	"receiver": receive,
	"notify":   notify,
	"token":    askForTokens,
	"load":     load,
	"site":     serveSite,
}

// TestMain is also the main function of the processes that the tests start.
func TestMain(m *testing.M) {
	if text := os.Getenv(roleEnv); text != "" {
		if err := play(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	status := m.Run()
	stopSharedRedis()
	os.Exit(status)
}

func play(text string) error {
	var r role
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return err
	}
	return roles[r.Name](r, bufio.NewReader(os.Stdin))
}

// client is the connection pool of a process.
func (r role) client() *redis.Client { return redis.NewClient(&redis.Options{Addr: r.Redis}) }

// process is one that a test has started.
type process struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *bufio.Reader
	end    sync.Once
}

// start runs the test binary in a role.
func (r role) start(t *testing.T) *process {
	t.Helper()
	program, err := os.Executable()
	require.NoError(t, err)
	text, err := json.Marshal(r)
	require.NoError(t, err)
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), roleEnv+"="+string(text))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	p := &process{cmd: cmd, stdin: stdin, stdout: bufio.NewReader(stdout)}
	t.Cleanup(p.kill)
	return p
}

// read reads a line of the process that is JSON.
func (p *process) read(t *testing.T, out any) {
	t.Helper()
	line, err := p.stdout.ReadBytes('\n')
	require.NoError(t, err, "the process has ended early")
	require.NoError(t, json.Unmarshal(line, out))
}

// tell writes a line to the process.
func (p *process) tell(t *testing.T) {
	t.Helper()
	_, err := io.WriteString(p.stdin, "\n")
	require.NoError(t, err)
}

// kill ends the process wherever it is.
func (p *process) kill() {
	p.end.Do(func() {
		_ = p.cmd.Process.Kill()
		p.stdin.Close()
		_ = p.cmd.Wait() // its status says that it was killed
	})
}

// say writes a line of JSON for read.
func say(value any) error { return json.NewEncoder(os.Stdout).Encode(value) }
