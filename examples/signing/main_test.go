package main

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

// TestMain lets the test binary be the program, for tests of its exit status.
func TestMain(m *testing.M) {
	if os.Getenv("SIGNING_MAIN") != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// setEnv makes the environment that of a test alone.
func setEnv(t *testing.T, srv *midtest.Server) {
	t.Helper()
	for _, name := range []string{"MID_CLIENT_ID", "MID_CLIENT_SECRET", "MID_BASE_URL", "MID_WEBHOOK_SECRET"} {
		t.Setenv(name, "")
	}
	if srv != nil {
		t.Setenv("MID_CLIENT_ID", srv.ClientID)
		t.Setenv("MID_CLIENT_SECRET", srv.ClientSecret)
		t.Setenv("MID_BASE_URL", srv.URL)
	}
}

func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Env = append(os.Environ(), "SIGNING_MAIN=1")
	return cmd
}

func TestWithoutArguments(t *testing.T) {
	setEnv(t, nil)
	began := time.Now()
	out, err := program(t).CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Less(t, time.Since(began), 20*time.Second)
	assert.Contains(t, string(out), "Using a fake MID server")
	assert.Equal(t, 2, strings.Count(string(out), "/sign/link_"))
	assert.Regexp(t, `(?s)Isolde Wren signed at \d\d:\d\d:\d\d \(1 of 2\)\n`+
		`Theo Quill signed at \d\d:\d\d:\d\d \(2 of 2\)\n`+
		`Everybody has signed\.\n$`, string(out))
}

func TestFileTitleAndSigners(t *testing.T) {
	srv := midtest.NewServer(midtest.WithAutoComplete(0))
	defer srv.Close()
	setEnv(t, srv)
	var out, complaints bytes.Buffer
	err := run(t.Context(), []string{"-pdf", "agreement.pdf", "-title", "Lease", "Ada Marsh <ada@example.com>"}, &out, &complaints)
	require.NoError(t, err)
	assert.Contains(t, out.String(), "Ada Marsh signed at")
	assert.Empty(t, complaints.String())
	require.Len(t, srv.SigningSessions(), 1)
	assert.Equal(t, "ada@example.com", srv.SigningSessions()[0].Signers[0].Email)
	for _, r := range srv.Requests() {
		if r.Path == "/signing/documents" {
			assert.Contains(t, string(r.Body), "Lease")
			assert.Contains(t, string(r.Body), string(agreement))
		}
	}
}

func TestFollowingASession(t *testing.T) {
	srv := midtest.NewServer()
	defer srv.Close()
	setEnv(t, srv)
	session := newSession(t, srv)
	require.NoError(t, srv.Sign(session.ID, "ada@example.com"))
	require.NoError(t, srv.Decline(session.ID, "grace@example.org"))

	var out, complaints bytes.Buffer
	err := run(t.Context(), []string{"-session", session.ID}, &out, &complaints)
	require.ErrorContains(t, err, "it is declined")
	assert.Contains(t, out.String(), "Ada Marsh signed at")
	assert.Contains(t, out.String(), "Grace Hill: declined (2 of 2)")
	assert.NotContains(t, out.String(), "Everybody")
}

func newSession(t *testing.T, srv *midtest.Server) *mid.SigningSession {
	t.Helper()
	client := srv.Client()
	document, err := client.Signing.UploadDocument(t.Context(), mid.UploadSigningDocumentParams{
		File: mid.FileFromBytes("lease.pdf", agreement),
	})
	require.NoError(t, err)
	session, err := client.Signing.CreateSession(t.Context(), mid.CreateSigningSessionParams{
		DocumentIDs: []string{document.ID},
		Signers: []mid.SignerParams{
			{Name: "Ada Marsh", Email: "ada@example.com"},
			{Name: "Grace Hill", Email: "grace@example.org"},
		},
	})
	require.NoError(t, err)
	return session
}

func TestExitStatus(t *testing.T) {
	srv := midtest.NewServer()
	defer srv.Close()
	session := newSession(t, srv)
	require.NoError(t, srv.Expire(session.ID))
	for _, test := range []struct {
		name   string
		server *midtest.Server
		args   []string
		status int
		output string
	}{
		{"help", nil, []string{"-h"}, 0, "usage: signing"},
		{"unknown flag", nil, []string{"-pfd", "x"}, 2, "usage: signing"},
		{"no address", nil, []string{"Ada"}, 2, "signer 1 must be"},
		{"no name", nil, []string{"Ada <ada@example.com>", "grace@example.org"}, 2, "signer 2 must be"},
		{"nobody", srv, nil, 2, "nobody is named"},
		{"too much", srv, []string{"-session", session.ID, "Ada <ada@example.com>"}, 2, "neither -pdf nor signers"},
		{"no file", nil, []string{"-pdf", "missing.pdf"}, 1, "missing.pdf"},
		{"not a PDF file", nil, []string{"-pdf", "main.go"}, 1, "uploading main.go"},
		{"unknown session", srv, []string{"-session", "sig_unknown"}, 1, "404"},
		{"session of a fake", nil, []string{"-session", "sig_1"}, 2, "-session needs MID_CLIENT_ID"},
		{"expired", srv, []string{"-session", session.ID}, 1, "it is expired"},
	} {
		t.Run(test.name, func(t *testing.T) {
			setEnv(t, test.server)
			cmd := program(t, test.args...)
			out, _ := cmd.CombinedOutput()
			assert.Equal(t, test.status, cmd.ProcessState.ExitCode(), string(out))
			assert.Contains(t, string(out), test.output)
		})
	}
}

func TestCtrlC(t *testing.T) {
	srv := midtest.NewServer()
	defer srv.Close()
	setEnv(t, srv)
	complaint := interrupted(t)
	assert.Equal(t, "signing: not waiting any longer; the session goes on: follow it again with -session "+srv.SigningSessions()[0].ID+"\n", complaint)

	setEnv(t, nil)
	assert.Equal(t, "signing: interrupted; the fake MID server and its session end here\n", interrupted(t))
}

// interrupted presses Ctrl-C when the signers are waited for, and returns what
// the program has to say.
func interrupted(t *testing.T) string {
	t.Helper()
	cmd := program(t, "Ada Marsh <ada@example.com>")
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(stdout)
	for lines.Scan() && !strings.Contains(lines.Text(), "/sign/") {
	}
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	for lines.Scan() { // the pipe is read to its end before Wait closes it
	}
	require.Error(t, cmd.Wait())
	assert.Equal(t, 130, cmd.ProcessState.ExitCode())
	return stderr.String()
}
