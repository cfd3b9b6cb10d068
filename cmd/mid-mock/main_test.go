package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

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
