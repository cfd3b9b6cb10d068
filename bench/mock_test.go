package bench

import (
	"bufio"
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mobid-io/mid-go"
)

// TestMock has 500 callers use the real mid-mock on every published plan, and in
// windows that end meanwhile, and wants no 429. MID_BENCH_MOCK=1m has each run
// take so long.
func TestMock(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes some seconds a plan")
	}
	lasts := 3 * time.Second
	if text := os.Getenv("MID_BENCH_MOCK"); text != "" {
		var err error
		if lasts, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	program := filepath.Join(t.TempDir(), "mid-mock")
	build := exec.CommandContext(t.Context(), "go", "build", "-C", "..", "-o", program, "./cmd/mid-mock")
	build.Env = append(os.Environ(), "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, run := range []struct {
		name string
		args []string
		plan *mid.Plan
	}{
		{"sandbox", []string{"-plan", "sandbox"}, &mid.PlanSandbox},
		{"standard", []string{"-plan", "standard"}, &mid.PlanStandard},
		{"starter", []string{"-plan", "starter"}, &mid.PlanStarter},
		{"professional", []string{"-plan", "professional"}, &mid.PlanProfessional},
		{"professional, by the headers", []string{"-plan", "professional"}, nil},
		{"windows, by the headers", []string{"-quota", "50/1s"}, nil},
	} {
		t.Run(run.name, func(t *testing.T) {
			useMock(t, startMock(t, program, run.args...), run.plan, lasts)
		})
	}
}

// mock is what the program prints.
type mock struct{ url, id, secret string }

func startMock(t *testing.T, program string, args ...string) (m mock) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, program, append(args, "-addr", "127.0.0.1:0")...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		if err := cmd.Wait(); err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	fields := map[string]*string{"Base URL": &m.url, "Client id": &m.id, "Client secret": &m.secret}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		for name, field := range fields {
			if value, ok := strings.CutPrefix(line, name); ok {
				*field = strings.TrimSpace(value)
			}
		}
		if line == "Ctrl-C stops it." {
			return m
		}
	}
	t.Fatal("mid-mock ended early")
	return m
}

// counted counts the answers on their way to the client.
type counted struct {
	next             http.RoundTripper
	granted, refused atomic.Int64
}

func (c *counted) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := c.next.RoundTrip(req)
	switch {
	case err != nil:
	case resp.StatusCode == http.StatusTooManyRequests:
		c.refused.Add(1)
	case resp.StatusCode < 300:
		c.granted.Add(1)
	}
	return resp, err
}

func useMock(t *testing.T, m mock, plan *mid.Plan, lasts time.Duration) {
	count := new(counted)
	patient := mid.DefaultRetryPolicy()
	patient.MaxRetryAfter = time.Hour
	opts := []mid.Option{
		mid.WithBaseURL(m.url),
		mid.WithRetry(patient),
		mid.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
			count.next = next
			return count
		}),
	}
	if plan != nil {
		opts = append(opts, mid.WithPlan(*plan))
	}
	client, err := mid.NewClient(m.id, m.secret, opts...)
	if err != nil {
		t.Fatal(err)
	}
	// Canceled, without a deadline: callers would leave the queue at once for it.
	ctx, stop := context.WithCancel(t.Context())
	defer time.AfterFunc(lasts, stop).Stop()
	session, err := client.Authentication.CreateSession(ctx, mid.CreateAuthSessionParams{Intent: mid.IntentLogin})
	if err != nil {
		t.Fatal(err)
	}
	var callers sync.WaitGroup
	for range 500 {
		callers.Go(func() {
			for ctx.Err() == nil {
				if _, err := client.Authentication.GetSession(ctx, session.ID); err != nil && ctx.Err() == nil {
					t.Error(err)
					return
				}
			}
		})
	}
	callers.Wait()
	t.Logf("%d granted, %d refused in %v", count.granted.Load(), count.refused.Load(), lasts)
	if count.refused.Load() > 0 || count.granted.Load() < 20 {
		t.Errorf("%d answers were 429, %d were granted", count.refused.Load(), count.granted.Load())
	}
}
