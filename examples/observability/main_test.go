package main

import (
	"bytes"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"

	"github.com/mobid-io/mid-go/midtest"
)

// The retry shows as two attempts under one call, and so does everything else
// that the README promises.
func TestRun(t *testing.T) {
	var stdout bytes.Buffer
	if err := demo(t.Context(), &stdout); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`level=WARN msg="mid: request" method=POST path=/auth/sessions .*status=503 .*trace_id=[0-9a-f]{8}\n`,
		`msg="session created" session.id=sess_\w+ session.status=pending trace_id=`,
		`msg="sign-in decided" verified=true`,
		`\ntrace [0-9a-f]{8}\nsign in +at 0.0 ms +for [0-9.]+ ms +internal\n` +
			`├─ auth.sessions.create +at [0-9.]+ ms +for [0-9.]+ ms +internal  mid.attempts=2\n` +
			`│  ├─ token +at [0-9.]+ ms +for [0-9.]+ ms +internal  links=1\n` +
			`│  │  └─ POST /auth/token +at [0-9.]+ ms +for [0-9.]+ ms +client  200\n` +
			`│  ├─ POST /auth/sessions +at [0-9.]+ ms +for [0-9.]+ ms +client  503\n` +
			`│  └─ POST /auth/sessions +at [0-9.]+ ms +for [0-9.]+ ms +client  http.request.resend_count=1  201\n`,
		`├─ auth.sessions.get .*\n│  └─ GET /auth/sessions/{id} `,
		`└─ auth.verify .*\n   └─ POST /auth/verify `,
		`http.client.request.duration +POST /auth/sessions 503 +count 1, mean`,
		`mid.client.rate_limit.remaining +99\d\n`,
	} {
		if !regexp.MustCompile(want).MatchString(stdout.String()) {
			t.Errorf("no match for %s in\n%s", want, &stdout)
		}
	}
}

// Telemetry is kept for long and read by many.
func TestNothingSecretOrPersonalIsShown(t *testing.T) {
	// An application that propagates its own traces has this.
	otel.SetTextMapPropagator(propagation.TraceContext{})
	t.Cleanup(func() { otel.SetTextMapPropagator(propagation.NewCompositeTextMapPropagator()) })
	srv := midtest.NewServer(midtest.WithAutoComplete(50 * time.Millisecond))
	defer srv.Close()
	var out bytes.Buffer
	if err := observe(t.Context(), srv, &out); err != nil {
		t.Fatal(err)
	}
	secrets := []string{srv.ClientSecret, "4155550123", "user_midtest"}
	for _, r := range srv.Requests() {
		if r.Header.Get("Traceparent") != "" {
			t.Errorf("%s %s tells MID of the trace", r.Method, r.Path)
		}
		if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
			secrets = append(secrets, token)
		}
	}
	if len(secrets) < 5 {
		t.Fatalf("saw %d requests with a token", len(secrets)-3)
	}
	for _, secret := range secrets {
		if strings.Contains(out.String(), secret) {
			t.Errorf("shows %q:\n%s", secret, &out)
		}
	}
}

// A call that fails has its telemetry, too.
func TestFailure(t *testing.T) {
	srv := midtest.NewServer()
	defer srv.Close()
	srv.Inject(midtest.Fault{Method: http.MethodPost, Path: "/auth/sessions", Status: http.StatusForbidden})
	var out bytes.Buffer
	if err := observe(t.Context(), srv, &out); err == nil {
		t.Error("no error")
	}
	if want := regexp.MustCompile(`auth.sessions.create .*mid.request_id=req_\w+ .*403\n`); !want.Match(out.Bytes()) {
		t.Errorf("no match for %s in\n%s", want, &out)
	}
}
