package browser_test

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// programs are the programs under test, built once.
var programs binaries

type binaries struct {
	once sync.Once
	dir  string
	err  error
}

func (b *binaries) path(t *testing.T, name string) string {
	t.Helper()
	chromiumPath(t) // nothing is worth to be built without it
	b.once.Do(b.build)
	require.NoError(t, b.err)
	return filepath.Join(b.dir, name)
}

func (b *binaries) build() {
	if b.dir, b.err = os.MkdirTemp("", "mid-e2e-programs-"); b.err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "build", "-o", b.dir, "./examples/weblogin", "./cmd/mid-mock")
	cmd.Dir = filepath.Join("..", "..")
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	cmd.WaitDelay = 5 * time.Second
	b.err = cmd.Run()
}

func (b *binaries) close() error {
	if b.dir == "" {
		return nil
	}
	return os.RemoveAll(b.dir)
}

// weblogin is the example under test.
type weblogin struct {
	*process
	site string // ends in a slash
}

// startDemo starts weblogin as its README says, beside mid-mock.
func startDemo(t *testing.T, m mock) weblogin {
	t.Helper()
	p := start(t, ready, environment(), programs.path(t, "weblogin"),
		"-addr", "127.0.0.1:0", "-demo", "-mock", strings.TrimSuffix(m.page, "/"))
	return weblogin{p, p.after(t, "The site is at")}
}

// startWithAccount starts weblogin as an operator does, with the credentials of
// an account.
func startWithAccount(t *testing.T, m mock) weblogin {
	t.Helper()
	p := start(t, ready, environment(
		"MID_BASE_URL="+m.baseURL,
		"MID_CLIENT_ID="+m.id,
		"MID_CLIENT_SECRET="+m.secret,
		"MID_WEBHOOK_SECRET="+m.hooksSecret,
	), programs.path(t, "weblogin"), "-addr", "127.0.0.1:0")
	return weblogin{p, p.after(t, "The site is at")}
}

// mock is mid-mock under test.
type mock struct {
	*process
	page                    string // ends in a slash
	baseURL                 string
	id, secret, hooksSecret string
}

func startMock(t *testing.T, args ...string) mock {
	t.Helper()
	args = append([]string{"-addr", "127.0.0.1:0"}, args...)
	p := start(t, ready, environment(), programs.path(t, "mid-mock"), args...)
	m := mock{
		process:     p,
		baseURL:     p.after(t, "Base URL"),
		id:          p.after(t, "Client id"),
		secret:      p.after(t, "Client secret"),
		hooksSecret: p.after(t, "Webhook secret"),
	}
	m.page = strings.TrimSuffix(m.baseURL, "v1")
	return m
}

// client is an app's.
func (m mock) client(t *testing.T) *mid.Client {
	t.Helper()
	c, err := mid.NewClient(m.id, m.secret, mid.WithBaseURL(m.baseURL))
	require.NoError(t, err)
	return c
}

// ready is the last line that both programs print before they serve.
const ready = "Ctrl-C stops it."

// environment is this process's, without what configures the programs, and
// with the given settings.
func environment(settings ...string) []string {
	var env []string
	for _, setting := range os.Environ() {
		if !strings.HasPrefix(setting, "MID_") {
			env = append(env, setting)
		}
	}
	return append(env, settings...)
}

// freeAddr returns a loopback address where nothing listens.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}
