package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
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
	var stdout, stderr bytes.Buffer
	if status := run(t.Context(), nil, &stdout, &stderr); status != 0 {
		t.Fatalf("exit status %d\n%s", status, &stderr)
	}
	for _, want := range []string{
		`level=WARN msg="mid: request" method=POST path=/auth/sessions .*status=503 .*trace_id=[0-9a-f]{8}\n`,
		`msg="session created" session.id=sess_\w+ session.status=pending trace_id=`,
		`msg="sign-in decided" verified=true`,
		`\ntrace [0-9a-f]{8}\nsign in +at 0.0 ms +for [0-9.]+ ms +internal\n` +
			`├─ mid CreateSession +at [0-9.]+ ms +for [0-9.]+ ms +internal  mid.attempts=2  mid.request_id=req_\w+\n` +
			`│  ├─ POST /auth/sessions +at [0-9.]+ ms +for [0-9.]+ ms +client  503\n` +
			`│  └─ POST /auth/sessions +at [0-9.]+ ms +for [0-9.]+ ms +client  201\n`,
		`├─ GET /auth/sessions/\{id\} `,
		`└─ mid Verify .*\n   └─ POST /auth/verify `,
		`\ntrace [0-9a-f]{8}\nPOST /auth/token `,
		`http.client.request.duration +POST 503 +count 1, mean`,
		`mid.rate_limit.remaining +99\d\n`,
	} {
		if !regexp.MustCompile(want).MatchString(stdout.String()) {
			t.Errorf("no match for %s in\n%s", want, &stdout)
		}
	}
	if stderr.Len() > 0 {
		t.Errorf("stderr: %s", &stderr)
	}
}

// Telemetry is kept for long and read by many.
func TestNothingSecretOrPersonalIsTold(t *testing.T) {
	// An application that propagates its own traces has this.
	otel.SetTextMapPropagator(propagation.TraceContext{})
	t.Cleanup(func() { otel.SetTextMapPropagator(propagation.NewCompositeTextMapPropagator()) })

	for name, raw := range map[string]bool{"for people": false, "raw": true} {
		t.Run(name, func(t *testing.T) {
			srv := midtest.NewServer(midtest.WithAutoComplete(50 * time.Millisecond))
			defer srv.Close()
			var out bytes.Buffer
			if err := demonstrate(t.Context(), srv, &out, raw); err != nil {
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
					t.Errorf("tells %q:\n%s", secret, &out)
				}
			}
		})
	}
}

func TestRawIsJSON(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if status := run(t.Context(), []string{"-raw"}, &stdout, &stderr); status != 0 {
		t.Fatalf("exit status %d\n%s", status, &stderr)
	}
	spans := make(map[string]int)
	for decoder := json.NewDecoder(&stdout); ; {
		var entry struct{ Name string }
		err := decoder.Decode(&entry)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		spans[entry.Name]++
	}
	if spans["POST /auth/sessions"] != 2 || spans["mid CreateSession"] != 1 {
		t.Errorf("spans: %v", spans)
	}
}

// A call that fails has its telemetry, too.
func TestFailure(t *testing.T) {
	srv := midtest.NewServer()
	defer srv.Close()
	srv.Inject(midtest.Fault{Method: http.MethodPost, Path: "/auth/sessions", Status: http.StatusForbidden})
	var out bytes.Buffer
	if err := demonstrate(t.Context(), srv, &out, false); err == nil {
		t.Error("no error")
	}
	if want := regexp.MustCompile(`mid CreateSession .*mid.attempts=1 .*forbidden\n`); !want.Match(out.Bytes()) {
		t.Errorf("no match for %s in\n%s", want, &out)
	}
}

func TestExitStatus(t *testing.T) {
	interrupted, cancel := context.WithCancel(t.Context())
	cancel()
	for _, test := range []struct {
		ctx  context.Context
		args []string
		want int
	}{
		{t.Context(), []string{"-h"}, 0},
		{t.Context(), []string{"-x"}, 2},
		{interrupted, nil, 130},
	} {
		if got := run(test.ctx, test.args, io.Discard, io.Discard); got != test.want {
			t.Errorf("run(%v) = %d, want %d", test.args, got, test.want)
		}
	}
}

func TestRoute(t *testing.T) {
	for path, want := range map[string]string{
		"/v1/auth/sessions":               "/auth/sessions",
		"/v1/auth/sessions/sess_1":        "/auth/sessions/{id}",
		"/v1/identity/verifications/ver_": "/identity/verifications/{id}",
		"/v1/auth/token":                  "/auth/token",
	} {
		if got := route(path); got != want {
			t.Errorf("route(%q) = %q, want %q", path, got, want)
		}
	}
}
