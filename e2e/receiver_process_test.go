package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// receiverSecret signs the events of the receiver.
const receiverSecret = "receiver-webhook-secret"

// receiving is a process that receives events as an integrator's does.
type receiving struct {
	requests atomic.Int64

	mu      sync.Mutex
	handled map[string]int // runs of a handler, by the event's id
	wrong   int            // of them, those with another event's data
}

// receiverReport is what the process knows of itself.
type receiverReport struct {
	Handled    map[string]int
	Wrong      int
	Requests   int64
	Goroutines int
	Heap       uint64 // bytes that are in use after a collection of garbage
	Taken      uint64 // bytes that the runtime has ever taken from the system
	Allocated  uint64 // bytes, by all that was ever allocated
	CPU        time.Duration
}

// serveReceiver serves deliveries at /hook and a receiverReport at /report.
func serveReceiver(ctx context.Context, l net.Listener) error {
	service, err := mid.NewWebhookService(mid.WebhookConfig{Secrets: []string{receiverSecret}})
	if err != nil {
		return err
	}
	r := &receiving{handled: map[string]int{}}
	hook := service.Handler(mid.EventHandlers{
		AuthenticationCompleted: func(_ context.Context, e *mid.Event, s *mid.AuthSession) error { return r.handle(e, s.ID) },
		VerificationCompleted:   func(_ context.Context, e *mid.Event, v *mid.Verification) error { return r.handle(e, v.ID) },
		SigningCompleted:        func(_ context.Context, e *mid.Event, s *mid.SigningSession) error { return r.handle(e, s.ID) },
		Other:                   func(_ context.Context, e *mid.Event) error { return r.handle(e, "") },
	})
	mux := http.NewServeMux()
	mux.HandleFunc("/hook", func(w http.ResponseWriter, req *http.Request) {
		r.requests.Add(1)
		hook.ServeHTTP(w, req)
	})
	mux.HandleFunc("/report", r.report)
	// The timeouts that Handler's documentation asks for.
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 20 * time.Second, ReadTimeout: 30 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// handle notes that a handler ran. The ids of an honest event and of its subject
// end alike.
func (r *receiving) handle(e *mid.Event, subject string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.handled[e.ID]++
	_, event, _ := strings.Cut(e.ID, "_")
	if _, subject, ok := strings.Cut(subject, "_"); !ok || subject != event {
		r.wrong++
	}
	return nil
}

func (r *receiving) report(w http.ResponseWriter, _ *http.Request) {
	report := receiverReport{Heap: heap(), Requests: r.requests.Load(), Goroutines: runtime.NumGoroutine()}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	report.Taken, report.Allocated = m.Sys, m.TotalAlloc
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) == nil {
		report.CPU = time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	report.Handled, report.Wrong = maps.Clone(r.handled), r.wrong
	_ = json.NewEncoder(w).Encode(report) // the test fails without it
}

// askReceiver gets the report of the process at addr.
func askReceiver(t *testing.T, addr string) receiverReport {
	t.Helper()
	req, err := http.NewRequestWithContext(bounded(t), http.MethodGet, "http://"+addr+"/report", http.NoBody)
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	var report receiverReport
	require.NoError(t, json.NewDecoder(res.Body).Decode(&report))
	return report
}
