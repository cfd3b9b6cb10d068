package main

import (
	"bufio"
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"rsc.io/qr"

	"github.com/mobid-io/mid-go/midtest"
)

// TestMain lets the test binary be the program, for tests of its exit status.
func TestMain(m *testing.M) {
	if os.Getenv("QUICKSTART_MAIN") != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// setEnv keeps the environment of the machine out of a test.
func setEnv(t *testing.T, srv *midtest.Server) {
	t.Helper()
	for _, name := range []string{"MID_CLIENT_ID", "MID_CLIENT_SECRET", "MID_BASE_URL", "MID_WEBHOOK_SECRET", "MID_CALLBACK_URL"} {
		t.Setenv(name, "")
	}
	if srv != nil {
		t.Setenv("MID_CLIENT_ID", srv.ClientID)
		t.Setenv("MID_CLIENT_SECRET", srv.ClientSecret)
		t.Setenv("MID_BASE_URL", srv.URL)
	}
}

func program(t *testing.T) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), "QUICKSTART_MAIN=1")
	return cmd
}

func TestArgumentsAreRefused(t *testing.T) {
	setEnv(t, nil)
	cmd := program(t)
	cmd.Args = append(cmd.Args, "-h")
	out, _ := cmd.CombinedOutput()
	assert.Equal(t, 2, cmd.ProcessState.ExitCode(), string(out))
	assert.Contains(t, string(out), "takes no arguments")
}

func TestTheStoryWithTheFake(t *testing.T) {
	setEnv(t, nil)
	began := time.Now()
	out, err := program(t).CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Less(t, time.Since(began), 20*time.Second)

	rest := string(out)
	for _, want := range []string{
		"fake MID server",
		"POST /v1/auth/token → 200 OK",
		"█████████████████████████████████████████",
		"pending ", "scanned ", "approved ",
		"POST /v1/auth/verify → 503 Service Unavailable  (this may pass, so the SDK tries again)",
		"POST /v1/auth/verify → 200 OK",
		"Verified by the backend: user_isolde",
		"passport.png", "selfie.png",
		"processing ", "verified ",
		"This is Isolde Wren",
		"agreement.pdf",
		"Isolde Wren   signed", "Theo Quill    signed",
		"Everyone has signed.",
		"3 webhook events",
		"requests are left",
		"Play the phone", "go run ./cmd/mid-mock",
	} {
		_, after, found := strings.Cut(rest, want)
		require.True(t, found, "%q is missing, or not in its place, in:\n%s", want, out)
		rest = after
	}
	for _, event := range []string{"authentication.completed", "verification.completed", "signing.completed"} {
		assert.Equal(t, 1, strings.Count(string(out), event), event)
	}
	assert.NotContains(t, string(out), "\x1b", "colors belong on a terminal")
}

func TestRealPeopleArePolledFor(t *testing.T) {
	srv := midtest.NewServer(midtest.WithAutoComplete(0))
	defer srv.Close()
	setEnv(t, srv)
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out))
	assert.Contains(t, out.String(), "talking to "+srv.URL)
	assert.Contains(t, out.String(), "user_midtest is signed in")
	assert.Contains(t, out.String(), "Everyone has signed.")
	assert.Contains(t, out.String(), "set MID_CALLBACK_URL")
	assert.NotContains(t, out.String(), srv.ClientSecret)
	assert.Empty(t, srv.Events())
}

func TestRealPeopleWithWebhooks(t *testing.T) {
	srv := midtest.NewServer(midtest.WithAutoComplete(20 * time.Millisecond))
	defer srv.Close()
	setEnv(t, srv)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Setenv("MID_CALLBACK_URL", "http://"+free.Addr().String()+"/mid/events")
	t.Setenv("MID_WEBHOOK_SECRET", srv.WebhookSecret)
	require.NoError(t, free.Close())
	var out bytes.Buffer // the console writes one line at a time
	require.NoError(t, run(t.Context(), &out))
	assert.Contains(t, out.String(), "are received at http://"+free.Addr().String())
	assert.Contains(t, out.String(), "3 webhook events, each verified")
}

func TestListenAddress(t *testing.T) {
	for callbackURL, want := range map[string]string{
		"https://shop.example.com/mid/events":      "127.0.0.1:8080",
		"https://shop.example.com:8443/mid/events": "127.0.0.1:8080",
		"http://127.0.0.1:9000/mid/events":         "127.0.0.1:9000",
		"http://[::1]:9000/mid/events":             "[::1]:9000",
		"http://127.0.0.1/mid/events":              "127.0.0.1:8080",
		"://":                                      "127.0.0.1:8080",
	} {
		assert.Equal(t, want, listenAddress(callbackURL), callbackURL)
	}
}

func TestARejectionEndsTheStory(t *testing.T) {
	srv := midtest.NewServer()
	defer srv.Close()
	setEnv(t, srv)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	go func() {
		for ctx.Err() == nil && len(srv.AuthSessions()) == 0 {
			time.Sleep(5 * time.Millisecond)
		}
		for _, session := range srv.AuthSessions() {
			_ = srv.Reject(session.ID)
		}
	}()
	var out bytes.Buffer
	err := run(ctx, &out)
	require.ErrorContains(t, err, "the session is rejected, so no one is signed in")
	assert.NotContains(t, out.String(), "Verify an identity")
}

func TestWrongCredentialsAreExplained(t *testing.T) {
	srv := midtest.NewServer()
	defer srv.Close()
	setEnv(t, srv)
	t.Setenv("MID_CLIENT_SECRET", "a wrong secret")
	out, err := program(t).CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	assert.Equal(t, 1, exit.ExitCode())
	assert.Contains(t, string(out), "Are MID_CLIENT_ID and MID_CLIENT_SECRET those of this environment?")
	assert.NotContains(t, string(out), "a wrong secret")
}

func TestHalfTheCredentialsAreRefused(t *testing.T) {
	setEnv(t, nil)
	t.Setenv("MID_CLIENT_ID", "client_bluebird")
	require.ErrorContains(t, run(t.Context(), &bytes.Buffer{}), "MID_CLIENT_SECRET")
}

func TestCtrlC(t *testing.T) {
	srv := midtest.NewServer()
	defer srv.Close()
	setEnv(t, srv)
	cmd := program(t)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(stdout)
	for lines.Scan() && !strings.Contains(lines.Text(), "pending") {
	}
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	for lines.Scan() { // the pipe is read to its end before Wait closes it
	}
	var exit *exec.ExitError
	require.ErrorAs(t, cmd.Wait(), &exit)
	assert.Equal(t, 130, exit.ExitCode())
	assert.Equal(t, "\nquickstart: interrupted\n", stderr.String())
}

// TestQRCode reads the drawing back.
func TestQRCode(t *testing.T) {
	const text = "mid://auth?session=sess_bluebird"
	want, err := qr.Encode(text, qr.M)
	require.NoError(t, err)
	for _, colors := range []bool{true, false} {
		drawn, err := drawQR(text, colors)
		require.NoError(t, err)
		drawn = regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(drawn, "")
		lines := strings.Split(strings.TrimRight(drawn, "\n"), "\n")
		for y := range want.Size + 2*quietZone {
			row := []rune(strings.TrimPrefix(lines[y/2], "    "))
			require.Len(t, row, want.Size+2*quietZone)
			for x, block := range row {
				ink := strings.ContainsRune([2]string{"█▀", "█▄"}[y%2], block)
				require.Equal(t, want.Black(x-quietZone, y-quietZone), ink == colors, "%d, %d", x, y)
			}
		}
	}
}
