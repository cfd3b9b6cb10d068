package main

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/examples/internal/specimen"
	"github.com/mobid-io/mid-go/midtest"
)

// TestMain lets the test binary be the program.
func TestMain(m *testing.M) {
	if os.Getenv("SIGNING_MAIN") != "" {
		main()
	}
	os.Exit(m.Run())
}

// program is the program with the environment of an account of srv; with nil,
// without an account.
func program(t *testing.T, srv *midtest.Server, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self, args...)
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "MID_") {
			cmd.Env = append(cmd.Env, variable)
		}
	}
	cmd.Env = append(cmd.Env, "SIGNING_MAIN=1")
	if srv != nil {
		cmd.Env = append(cmd.Env, "MID_BASE_URL="+srv.URL, "MID_CLIENT_ID="+srv.ClientID, "MID_CLIENT_SECRET="+srv.ClientSecret)
	}
	return cmd
}

// lease is a PDF file.
func lease(t *testing.T) string {
	t.Helper()
	data, err := specimen.Files.ReadFile("agreement.pdf")
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "lease.pdf")
	require.NoError(t, os.WriteFile(file, data, 0o600))
	return file
}

func TestDemo(t *testing.T) {
	out, err := program(t, nil).CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Equal(t, 2, strings.Count(string(out), "/sign/link_"))
	assert.True(t, strings.HasSuffix(string(out), "Isolde Wren: signed (1 of 2)\nTheo Quill: signed (2 of 2)\nEveryone has signed.\n"), string(out))
}

func TestAFileAndItsSigner(t *testing.T) {
	srv := midtest.NewServer(midtest.WithAutoComplete(0))
	defer srv.Close()
	out, err := program(t, srv, "-pdf", lease(t), "Ada Marsh <ada@example.com>").CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Contains(t, string(out), "Ada Marsh: signed (1 of 1)")
	require.Len(t, srv.SigningSessions(), 1)
	assert.Equal(t, "ada@example.com", srv.SigningSessions()[0].Signers[0].Email)
	assert.Equal(t, "lease.pdf", srv.SigningDocuments()[0].Name)
}

// newSession is a session of Ada Marsh and Grace Hill.
func newSession(t *testing.T, srv *midtest.Server) *mid.SigningSession {
	t.Helper()
	session, err := askForSignatures(t.Context(), srv.Client(), mid.FileFromBytes("lease.pdf", []byte("%PDF-1.4")),
		[]mid.SignerParams{{Name: "Ada Marsh", Email: "ada@example.com"}, {Name: "Grace Hill", Email: "grace@example.org"}})
	require.NoError(t, err)
	return session
}

// Each decision is printed once, with who made it.
func TestASessionThatIsDeclined(t *testing.T) {
	srv := midtest.NewServer()
	defer srv.Close()
	session := newSession(t, srv)
	require.NoError(t, srv.Sign(session.ID, "ada@example.com"))
	require.NoError(t, srv.Decline(session.ID, "grace@example.org"))

	var out bytes.Buffer
	err := follow(t.Context(), srv.Client(), session.ID, mid.PollOptions{}, &out)
	require.ErrorIs(t, err, errUnsigned)
	assert.Equal(t, "Ada Marsh: signed (1 of 2)\nGrace Hill: declined (2 of 2)\n", out.String())
}

func TestExitStatus(t *testing.T) {
	srv := midtest.NewServer()
	defer srv.Close()
	session := newSession(t, srv)
	require.NoError(t, srv.Expire(session.ID))
	pdf := lease(t)
	for _, test := range []struct {
		name   string
		args   []string
		fault  midtest.Fault
		status int
		output string
	}{
		{"help", []string{"-h"}, midtest.Fault{}, 0, "usage: signing"},
		{"unknown flag", []string{"-pfd", "x"}, midtest.Fault{}, 2, "usage: signing"},
		{"no name", []string{"-pdf", pdf, "Ada <ada@example.com>", "grace@example.org"}, midtest.Fault{}, 2, "signer 2 is not of the form"},
		{"no signer", []string{"-pdf", pdf}, midtest.Fault{}, 2, "give a file and its signers"},
		{"too much", []string{"-session", session.ID, "-pdf", pdf, "Ada <ada@example.com>"}, midtest.Fault{}, 2, "or a session\n"},
		{"no file", []string{"-pdf", "missing.pdf", "Ada <ada@example.com>"}, midtest.Fault{}, 1, "missing.pdf"},
		{"not a PDF file", []string{"-pdf", "main.go", "Ada <ada@example.com>"}, midtest.Fault{}, 1, "uploading main.go: "},
		{"quota", []string{"-pdf", pdf, "Ada <ada@example.com>"}, midtest.Fault{Path: "/signing/sessions", RetryAfter: time.Hour}, 1, "Try again in 1h"},
		{"credentials", []string{"-pdf", pdf, "Ada <ada@example.com>"}, midtest.Fault{Path: "/auth/token", Code: string(mid.CodeInvalidClient)}, 1, "MID does not know the credentials."},
		{"unknown session", []string{"-session", "sig_unknown"}, midtest.Fault{}, 1, "do not know each other's sessions"},
		{"expired", []string{"-session", session.ID}, midtest.Fault{}, 3, "not everyone has signed: session " + session.ID + " is expired"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.fault.Path != "" {
				srv.Inject(test.fault)
			}
			cmd := program(t, srv, test.args...)
			out, _ := cmd.CombinedOutput()
			assert.Equal(t, test.status, cmd.ProcessState.ExitCode(), string(out))
			assert.Contains(t, string(out), test.output)
		})
	}
}

func TestInterrupt(t *testing.T) {
	srv := midtest.NewServer()
	defer srv.Close()
	cmd := program(t, srv, "-pdf", lease(t), "Ada Marsh <ada@example.com>")
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	require.NoError(t, cmd.Start())
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if strings.Contains(lines.Text(), "/sign/") {
			require.NoError(t, cmd.Process.Signal(os.Interrupt))
		}
	}
	require.Error(t, cmd.Wait())
	assert.Equal(t, 1, cmd.ProcessState.ExitCode())
	assert.Contains(t, stderr.String(), "waiting for session "+srv.SigningSessions()[0].ID+", which goes on: ")
}
