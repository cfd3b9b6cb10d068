package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

// asProgram makes the test binary the program itself, for the tests that need
// a process.
const asProgram = "KYC_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	for _, name := range []string{"MID_CLIENT_ID", "MID_CLIENT_SECRET", "MID_BASE_URL", "MID_WEBHOOK_SECRET"} {
		if err := os.Unsetenv(name); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

type outcome struct {
	status         int
	stdout, stderr string
}

func kyc(t *testing.T, args ...string) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status := run(t.Context(), args, &stdout, &stderr)
	return outcome{status, stdout.String(), stderr.String()}
}

// check fails the test unless the run ended so and the texts are where they
// belong.
func (o outcome) check(t *testing.T, status int, stdout, stderr string) {
	t.Helper()
	if o.status != status || !strings.Contains(o.stdout, stdout) || !strings.Contains(o.stderr, stderr) {
		t.Errorf("exit status %d, want %d with %q in\n%s\nand %q in\n%s", o.status, status, stdout, o.stdout, stderr, o.stderr)
	}
	if strings.Contains(o.stdout+o.stderr, "\x1b") || strings.Contains(o.stderr, "\r") {
		t.Errorf("commands for a terminal went elsewhere: %q", o.stdout+o.stderr)
	}
	for _, secret := range personal {
		if strings.Contains(o.stderr, secret) {
			t.Errorf("stderr tells %q:\n%s", secret, o.stderr)
		}
	}
}

// personal must be told nowhere but in the result. The last is in the names of
// the files.
var personal = []string{"Isolde", "Wren", "1992", "U8040217", "isolde-wren"}

// service is MID for the program: it is where its environment points to.
func service(t *testing.T, opts ...midtest.Option) *midtest.Server {
	t.Helper()
	srv := midtest.NewServer(opts...)
	t.Cleanup(srv.Close)
	t.Setenv("MID_CLIENT_ID", srv.ClientID)
	t.Setenv("MID_CLIENT_SECRET", srv.ClientSecret)
	t.Setenv("MID_BASE_URL", srv.URL)
	return srv
}

// ending is a service whose verifications have ended before anybody looks.
func ending(t *testing.T, o midtest.Outcome) (srv *midtest.Server) {
	t.Helper()
	srv = service(t, midtest.WithMiddleware(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, r)
			if path.Base(r.URL.Path) != "verify" {
				return
			}
			for _, v := range srv.Verifications() {
				if err := srv.CompleteVerification(v.ID, o); err != nil {
					t.Error(err)
				}
			}
		})
	}))
	return srv
}

func specimen(t *testing.T, name string) string {
	t.Helper()
	data, err := specimens.ReadFile("specimen/" + name)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "isolde-wren-"+name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDemo(t *testing.T) {
	const checks = "document authenticity  passed\n  liveness               passed\n" +
		"  data extraction        completed\n  face match             "
	o := kyc(t)
	o.check(t, exitVerified, "Name           Isolde Wren\n", checks+"passed\n")
	o = kyc(t, "-demo-outcome", "rejected")
	o.check(t, exitRejected, "Checks         face match failed, 3 passed\n", checks+"failed\n")
}

func TestVerdicts(t *testing.T) {
	for status, want := range map[mid.VerificationStatus]int{
		mid.VerificationVerified: exitVerified,
		mid.VerificationRejected: exitRejected,
		mid.VerificationExpired:  exitExpired,
	} {
		t.Run(string(status), func(t *testing.T) {
			ending(t, midtest.Outcome{Status: status})
			o := kyc(t, "-country", "DE", specimen(t, "passport.png"), specimen(t, "selfie.png"))
			o.check(t, want, string(status), "Uploaded the selfie, 10.0 kB\n")
		})
	}
}

func TestJSONAndTheBack(t *testing.T) {
	srv := ending(t, midtest.Outcome{ExtractedData: demoPerson})
	o := kyc(t, "-json", "-type", "national_id", "-country", "DE",
		"-back", specimen(t, "passport.png"), specimen(t, "passport.png"), specimen(t, "selfie.png"))
	o.check(t, exitVerified, "", "Uploaded the back, 52.6 kB\n")

	var v mid.Verification
	if err := json.Unmarshal([]byte(o.stdout), &v); err != nil {
		t.Fatalf("%v in %s", err, o.stdout)
	}
	if v.ExtractedData != demoPerson || v.DocumentType != mid.DocumentNationalID {
		t.Errorf("not the whole result: %s", o.stdout)
	}
	for _, r := range srv.Requests() {
		if bytes.Contains(r.Body, []byte("isolde-wren")) {
			t.Errorf("%s %s tells MID the name of the file", r.Method, r.Path)
		}
	}
}

func TestWrongUsage(t *testing.T) {
	for name, args := range map[string][]string{
		"not defined":         {"-x"},
		"want two files":      {"passport.png"},
		"after all flags":     {"passport.png", "selfie.png", "-json"},
		"-country is missing": {"passport.png", "selfie.png"},
		"two capital letters": {"-country", "de", "passport.png", "selfie.png"},
		"-type must be":       {"-type", "selfie", "-country", "DE", "passport.png", "selfie.png"},
		"-timeout must be":    {"-timeout", "0s"},
		"-demo-outcome must":  {"-demo-outcome", "expired"},
		"goes without files":  {"-demo-outcome", "verified", "passport.png", "selfie.png"},
		"-back needs":         {"-back", "back.png"},
	} {
		o := kyc(t, args...)
		o.check(t, exitUsage, "", name)
		o.check(t, exitUsage, "", "usage: kyc")
	}
	o := kyc(t, "-country", "DE", specimen(t, "passport.png"), specimen(t, "selfie.png"))
	o.check(t, exitUsage, "", "MID_CLIENT_ID is not set")
	o = kyc(t, "-h")
	o.check(t, 0, "exit status: 0 verified", "")
}

func TestFailures(t *testing.T) {
	passport, selfie := specimen(t, "passport.png"), specimen(t, "selfie.png")
	t.Run("no such file", func(t *testing.T) {
		service(t)
		o := kyc(t, "-country", "DE", passport, selfie+"x")
		o.check(t, exitFailed, "", "the selfie can't be read: ")
	})
	t.Run("a directory", func(t *testing.T) {
		service(t)
		o := kyc(t, "-country", "DE", filepath.Dir(passport), selfie)
		o.check(t, exitFailed, "", "the document is not a file")
	})
	t.Run("credentials", func(t *testing.T) {
		service(t)
		t.Setenv("MID_CLIENT_SECRET", "another")
		o := kyc(t, "-country", "DE", passport, selfie)
		o.check(t, exitFailed, "", "invalid_client")
	})
	t.Run("too large", func(t *testing.T) {
		srv := service(t)
		srv.Inject(midtest.Fault{Path: "/identity/documents", Code: string(mid.CodePayloadTooLarge)})
		o := kyc(t, "-country", "DE", passport, selfie)
		o.check(t, exitFailed, "", "uploading the document: ")
	})
	t.Run("no verdict", func(t *testing.T) {
		service(t)
		o := kyc(t, "-country", "DE", "-timeout", "500ms", passport, selfie)
		o.check(t, exitFailed, "", "no verdict within 500ms; MID goes on with ver_")
	})
}

// A file that is there may still turn out to be unreadable.
func TestUnreadableFile(t *testing.T) {
	service(t)
	path := specimen(t, "passport.png")
	app, err := newApp(config{front: path, selfie: path, documentType: mid.DocumentPassport, country: "DE"}, newScreen(io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	defer app.close()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	_, err = app.verify(t.Context())
	if err == nil || !strings.HasPrefix(err.Error(), "reading the document: ") || strings.Contains(err.Error(), "isolde-wren") {
		t.Errorf("err = %v", err)
	}
}

func TestInterrupt(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process can't send Ctrl-C to another here")
	}
	service(t)
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-country", "DE", specimen(t, "passport.png"), specimen(t, "selfie.png"))
	cmd.Env = append(os.Environ(), asProgram+"=1")
	cmd.WaitDelay = 10 * time.Second
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var told strings.Builder
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		told.WriteString(lines.Text() + "\n")
		if strings.HasPrefix(lines.Text(), "Started ver_") {
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
		}
	}
	err = cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != exitInterrupted {
		t.Errorf("ended with %v", err)
	}
	if !strings.Contains(told.String(), "kyc: interrupted; MID goes on with ver_") {
		t.Errorf("told %q", told.String())
	}
}
