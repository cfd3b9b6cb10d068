package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// asProgram makes the test binary be mid-mock itself.
const asProgram = "MID_MOCK_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

// output is a terminal that can be read while it is written to.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// program is mid-mock as it runs.
type program struct {
	t              *testing.T
	stdout, stderr output
	url            string // of the page, without a slash at its end
	stop           context.CancelFunc
	exit           chan int
}

// start runs mid-mock on a free port until the test ends.
func start(t *testing.T, args ...string) *program {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	p := &program{t: t, stop: stop, exit: make(chan int, 1)}
	go func() { p.exit <- run(ctx, append([]string{"-addr", "127.0.0.1:0"}, args...), &p.stdout, &p.stderr) }()
	t.Cleanup(func() {
		stop()
		assert.Equal(t, 0, p.wait())
		assert.Contains(t, p.stdout.String(), "\nStopped.\n")
	})
	p.url = pageAddress(t, &p.stdout)
	return p
}

// pageAddress waits until the program tells it.
func pageAddress(t *testing.T, stdout *output) string {
	t.Helper()
	line := regexp.MustCompile(`(?m)^ +(http://\S+)/\n\nCtrl-C stops it\.$`)
	require.Eventually(t, func() bool { return line.MatchString(stdout.String()) }, 10*time.Second, time.Millisecond)
	return line.FindStringSubmatch(stdout.String())[1]
}

func (p *program) wait() int {
	p.t.Helper()
	select {
	case code := <-p.exit:
		p.exit <- code // for the next that asks
		return code
	case <-time.After(10 * time.Second):
		p.t.Fatal("mid-mock does not stop")
		return -1
	}
}

// client is what a program of the user has after pasting what mid-mock printed.
func (p *program) client() *mid.Client {
	p.t.Helper()
	exports := regexp.MustCompile(`(?m)^  export (\w+)=(.+)$`).FindAllStringSubmatch(p.stdout.String(), -1)
	require.Len(p.t, exports, 4)
	for _, e := range exports {
		p.t.Setenv(e[1], e[2])
	}
	client, err := mid.NewClientFromEnv()
	require.NoError(p.t, err)
	return client
}

// see opens a page as a browser does.
func (p *program) see(path string) string {
	p.t.Helper()
	res, err := http.Get(p.url + path)
	require.NoError(p.t, err)
	return p.read(res, http.StatusOK)
}

// press sends the form on a page whose action ends so, and returns the page
// that it leads to.
func (p *program) press(path, action string, fields ...string) string {
	p.t.Helper()
	page := p.see(path)
	form := regexp.MustCompile(`<form method="post" action="([^"]*` + action + `)">(<input type="hidden" name="from" value="page">)?`).FindStringSubmatch(page)
	require.NotNil(p.t, form, "no form to %s in %s", action, page)
	values := map[string][]string{}
	if form[2] != "" {
		values["from"] = []string{"page"}
	}
	for i := 0; i < len(fields); i += 2 {
		values[fields[i]] = []string{fields[i+1]}
	}
	res, err := http.PostForm(p.url+form[1], values)
	require.NoError(p.t, err)
	return p.read(res, http.StatusOK)
}

func (p *program) read(res *http.Response, status int) string {
	p.t.Helper()
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(p.t, err)
	require.Equal(p.t, status, res.StatusCode, "%s", body)
	return string(body)
}

func TestAnAppSignsAUserIn(t *testing.T) {
	p := start(t)
	client := p.client()
	events := make(chan *mid.AuthSession, 1)
	app := httptest.NewServer(client.Webhooks.Handler(mid.EventHandlers{
		AuthenticationCompleted: func(_ context.Context, _ *mid.Event, s *mid.AuthSession) error {
			events <- s
			return nil
		},
	}))
	defer app.Close()
	assert.Contains(t, p.see("/"), "No authentication sessions yet.")

	session, err := client.Authentication.CreateSession(t.Context(), mid.CreateAuthSessionParams{
		Intent:      mid.IntentLogin,
		Recipient:   "+14155550123",
		CallbackURL: app.URL + "/hooks",
	})
	require.NoError(t, err)
	board := p.see("/")
	assert.Contains(t, board, "1 waiting")
	assert.Contains(t, board, `src="/phone/`+session.ID+`/qr.png"`)
	assert.Contains(t, board, "&#43;14155550123")

	own := "/phone/" + session.ID
	assert.Contains(t, p.press(own, "/scan"), `<p class="pill wait">scanned</p>`)
	scanned, err := client.Authentication.GetSession(t.Context(), session.ID)
	require.NoError(t, err)
	assert.Equal(t, mid.AuthScanned, scanned.Status)
	assert.Contains(t, p.press(own, "/approve", "user_id", "user_ada"), `<p class="pill good">approved</p>`)

	result, err := client.Authentication.Verify(t.Context(), mid.VerifyAuthenticationParams{SessionID: session.ID})
	require.NoError(t, err)
	assert.True(t, result.Verified)
	assert.Equal(t, "user_ada", result.UserID)
	assert.Equal(t, mid.AuthApproved, receive(t, events).Status)
	require.Eventually(t, func() bool { return strings.Contains(p.see("/"), ">1 attempt and") }, 10*time.Second, time.Millisecond)
	assert.Contains(t, p.see("/"), `<p class="pill good">204</p>`)

	assert.Contains(t, p.press("/", "/redeliver"), "Webhook deliveries")
	require.Eventually(t, func() bool { return strings.Contains(p.see("/"), ">2 attempts and") }, 10*time.Second, time.Millisecond)
}

func receive[T any](t *testing.T, events <-chan T) T {
	t.Helper()
	select {
	case e := <-events:
		return e
	case <-time.After(10 * time.Second):
		t.Fatal("no event came")
		panic("unreachable")
	}
}

func TestAFreePortIsPrintedAndTheAddressCanBeTaken(t *testing.T) {
	p := start(t)
	assert.Contains(t, p.stdout.String(), "Base URL        "+p.url+"/v1\n")
	assert.Empty(t, p.stderr.String())
	var stdout, stderr output
	code := run(t.Context(), []string{"-addr", strings.TrimPrefix(p.url, "http://")}, &stdout, &stderr)
	assert.Equal(t, 1, code)
	assert.Contains(t, stderr.String(), "address already in use")
	assert.Contains(t, stderr.String(), "-addr")
	assert.Empty(t, stdout.String())
}

func TestWarnsWhereOthersCanReachIt(t *testing.T) {
	p := start(t, "-addr", "0.0.0.0:0")
	assert.Regexp(t, `^mid-mock: warning: \S+:\d+ is not a loopback address`, p.stderr.String())
	assert.True(t, strings.HasPrefix(p.url, "http://127.0.0.1:"), p.url)
}

func TestStopsOnASignal(t *testing.T) {
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		var stdout output
		cmd := exec.Command(os.Args[0], "-addr", "127.0.0.1:0")
		cmd.Env = append(os.Environ(), asProgram+"=1")
		cmd.Stdout = &stdout
		require.NoError(t, cmd.Start())
		page, err := http.Get(pageAddress(t, &stdout) + "/live") // does not end by itself
		require.NoError(t, err)
		require.NoError(t, cmd.Process.Signal(sig))
		assert.NoError(t, cmd.Wait(), sig)
		page.Body.Close()
		assert.Contains(t, stdout.String(), "Stopped.", sig)
	}
}

func TestQuote(t *testing.T) {
	assert.Equal(t, "http://127.0.0.1:1/v1", quote("http://127.0.0.1:1/v1"))
	assert.Equal(t, "'http://[::1]:1/v1'", quote("http://[::1]:1/v1"))
	assert.False(t, isLoopback(&net.UnixAddr{}))
}
