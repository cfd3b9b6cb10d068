package main

import (
	"bufio"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
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
	if os.Getenv("KYC_MAIN") != "" {
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
	cmd.Env = append(cmd.Env, "KYC_MAIN=1")
	if srv != nil {
		cmd.Env = append(cmd.Env, "MID_BASE_URL="+srv.URL, "MID_CLIENT_ID="+srv.ClientID, "MID_CLIENT_SECRET="+srv.ClientSecret)
	}
	return cmd
}

// kyc runs the program and checks that personal data is in the result only.
func kyc(t *testing.T, cmd *exec.Cmd) (status int, stdout, stderr string) {
	t.Helper()
	var out, log strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Run(); err != nil {
		require.ErrorAs(t, err, new(*exec.ExitError))
	}
	for _, personal := range []string{specimen.Holder.FirstName, specimen.Holder.LastName, specimen.Holder.DateOfBirth, specimen.Holder.DocumentNumber} {
		assert.NotContains(t, log.String(), personal)
	}
	return cmd.ProcessState.ExitCode(), out.String(), log.String()
}

// ending is a server whose verifications have ended before anyone looks.
func ending(t *testing.T, o midtest.Outcome) (srv *midtest.Server) {
	t.Helper()
	srv = midtest.NewServer(midtest.WithMiddleware(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, r)
			if path.Base(r.URL.Path) == "verify" {
				for _, v := range srv.Verifications() {
					assert.NoError(t, srv.CompleteVerification(v.ID, o))
				}
			}
		})
	}))
	t.Cleanup(srv.Close)
	return srv
}

// pictures are flags that name the specimens as files called after the person.
func pictures(t *testing.T) []string {
	t.Helper()
	flags := []string{"-country", "DE"}
	for flag, name := range map[string]string{"-front": "passport.png", "-selfie": "selfie.png"} {
		data, err := specimen.Files.ReadFile(name)
		require.NoError(t, err)
		file := filepath.Join(t.TempDir(), "isolde-wren-"+name)
		require.NoError(t, os.WriteFile(file, data, 0o600))
		flags = append(flags, flag, file)
	}
	return flags
}

func TestDemo(t *testing.T) {
	status, stdout, stderr := kyc(t, program(t, nil))
	assert.Equal(t, verified, status, stderr)
	assert.Equal(t, "Verified: Isolde Wren, born 1992-03-14, document U8040217, expires 2033-06-01\n", stdout)
	assert.Contains(t, stderr, "document=passed data=completed liveness=passed face=passed")
}

func TestVerdicts(t *testing.T) {
	for _, test := range []struct {
		outcome midtest.Outcome
		status  int
		stdout  string
	}{
		{midtest.Outcome{ExtractedData: specimen.Holder}, verified, "Verified: Isolde Wren, born"},
		{midtest.Outcome{Status: mid.VerificationRejected}, notVerified, "Failed checks: face match\n"},
		{midtest.Outcome{Status: mid.VerificationExpired}, notVerified, "Expired: "},
	} {
		srv := ending(t, test.outcome)
		status, stdout, stderr := kyc(t, program(t, srv, pictures(t)...))
		assert.Equal(t, test.status, status, stderr)
		assert.Contains(t, stdout, test.stdout)
		for _, r := range srv.Requests() {
			assert.NotContains(t, string(r.Body), "isolde-wren", "MID got the file's own name")
		}
	}
}

func TestTheBackOfANationalID(t *testing.T) {
	srv := ending(t, midtest.Outcome{})
	flags := pictures(t)
	status, _, stderr := kyc(t, program(t, srv, slices.Concat(flags, []string{"-type", "national_id", "-back", flags[3]})...))
	assert.Equal(t, verified, status, stderr)
	require.Len(t, srv.IdentityDocuments(), 3)
	assert.Equal(t, mid.DocumentNationalID, srv.Verifications()[0].DocumentType)
}

func TestFailures(t *testing.T) {
	complete := pictures(t)
	for _, test := range []struct {
		name   string
		fault  midtest.Fault
		flags  []string
		stderr []string
	}{
		{"no such file", midtest.Fault{}, []string{"-front", "missing.jpg"}, []string{"missing.jpg"}},
		{"no picture", midtest.Fault{}, complete[:2], []string{"uploading the front: mid: File", "Correct the field"}},
		{"wrong country", midtest.Fault{}, slices.Concat(complete, []string{"-country", "Germany"}), []string{"mid: Country", "Correct the field"}},
		{"quota", midtest.Fault{Path: "/identity/verify", RetryAfter: time.Hour}, complete, []string{"starting the verification: ", "Try again in 1h"}},
		{"credentials", midtest.Fault{Path: "/auth/token", Code: string(mid.CodeInvalidClient)}, complete, []string{"MID does not know the credentials."}},
		{"too large", midtest.Fault{Path: "/identity/documents", Code: string(mid.CodePayloadTooLarge)}, complete, []string{"uploading the front: ", "Take a smaller picture."}},
		{"forbidden", midtest.Fault{Path: "/identity/verify", Code: string(mid.CodeForbidden)}, complete, []string{"can look up the request req_"}},
		{"no verdict", midtest.Fault{}, slices.Concat(complete, []string{"-timeout", "500ms"}), []string{"waiting for verification ver_", "which goes on: "}},
	} {
		t.Run(test.name, func(t *testing.T) {
			srv := midtest.NewServer()
			defer srv.Close()
			if test.fault.Path != "" {
				srv.Inject(test.fault)
			}
			status, stdout, stderr := kyc(t, program(t, srv, test.flags...))
			assert.Equal(t, noVerdict, status)
			assert.Empty(t, stdout)
			for _, want := range test.stderr {
				assert.Contains(t, stderr, want)
			}
		})
	}
}

func TestWithoutCredentials(t *testing.T) {
	status, _, stderr := kyc(t, program(t, nil, pictures(t)...))
	assert.Equal(t, noVerdict, status)
	assert.Contains(t, stderr, "MID_CLIENT_ID is not set")
}

func TestInterrupt(t *testing.T) {
	srv := midtest.NewServer()
	defer srv.Close()
	cmd := program(t, srv, pictures(t)...)
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var last string
	for lines := bufio.NewScanner(stderr); lines.Scan(); last = lines.Text() {
		if strings.Contains(lines.Text(), "started") {
			require.NoError(t, cmd.Process.Signal(os.Interrupt))
		}
	}
	_, ended := errors.AsType[*exec.ExitError](cmd.Wait())
	assert.True(t, ended)
	assert.Equal(t, noVerdict, cmd.ProcessState.ExitCode())
	assert.Contains(t, last, "which goes on: ")
}
