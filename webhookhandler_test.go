package mid_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	mid "github.com/mobid-io/mid-go"
)

// hookStore records what it is asked, and fails or blocks on demand. It is one
// event's store, and its claim.
type hookStore struct {
	claim    func(context.Context) (mid.EventClaim, error) // nil: the store itself
	begin    func(context.Context) (context.Context, error)
	settle   func(context.Context) error
	calls    []string
	contexts []error
}

func (s *hookStore) record(ctx context.Context, call string) {
	s.calls = append(s.calls, call)
	s.contexts = append(s.contexts, ctx.Err())
}

func (s *hookStore) Claim(ctx context.Context, id string, _ time.Duration) (mid.EventClaim, error) {
	s.record(ctx, "claim "+id)
	if s.claim != nil {
		return s.claim(ctx)
	}
	return s, nil
}

func (s *hookStore) Context(ctx context.Context) (context.Context, error) {
	if s.begin != nil {
		return s.begin(ctx)
	}
	return ctx, nil
}

func (s *hookStore) Done(ctx context.Context) error {
	s.record(ctx, "done")
	if s.settle != nil {
		return s.settle(ctx)
	}
	return nil
}

func (s *hookStore) Release(ctx context.Context) error {
	s.record(ctx, "release")
	if s.settle != nil {
		return s.settle(ctx)
	}
	return nil
}

func deliverHook(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func otherHook(f func(context.Context, *mid.Event) error) mid.EventHandlers {
	return mid.EventHandlers{Other: f}
}

func TestWebhookHandlerRefuses(t *testing.T) {
	valid := hookPayload("evt_1", "x", `"Sesame"`)
	tests := map[string]struct {
		request func() *http.Request
		status  int
	}{
		"GET": {func() *http.Request { return httptest.NewRequest(http.MethodGet, "/", nil) }, 405},
		"PUT": {func() *http.Request { return httptest.NewRequest(http.MethodPut, "/", bytes.NewReader(valid)) }, 405},
		"no signature": {func() *http.Request {
			return httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(valid))
		}, 401},
		"wrong signature": {func() *http.Request {
			r := hookRequest(valid)
			r.Header.Set(mid.SignatureHeader, hookMAC("whsec_other", valid))
			return r
		}, 401},
		"stale": {func() *http.Request {
			return hookRequest([]byte(`{"id":"evt_1","type":"x","timestamp":1,"data":"Sesame"}`))
		}, 401},
		"malformed": {func() *http.Request { return hookRequest([]byte(`Sesame`)) }, 400},
		"too large": {func() *http.Request { return hookRequest(bytes.Repeat([]byte("Sesame"), 200)) }, 413},
		"broken off": {func() *http.Request {
			r := hookRequest(valid)
			r.Body = io.NopCloser(iotest.ErrReader(io.ErrUnexpectedEOF))
			return r
		}, 400},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			store := new(hookStore)
			hooks := newHooks(t, mid.WebhookConfig{Store: store, MaxBodyBytes: 1000})
			w := deliverHook(hooks.Handler(otherHook(func(context.Context, *mid.Event) error {
				t.Error("the handler ran")
				return nil
			})), tt.request())
			require.Equal(t, tt.status, w.Code)
			require.NotContains(t, w.Body.String(), "Sesame", "an answer must quote nothing")
			require.Empty(t, store.calls)
			if tt.status == http.StatusMethodNotAllowed {
				require.Equal(t, "POST", w.Header().Get("Allow"))
			}
		})
	}
}

func TestWebhookHandlerDispatches(t *testing.T) {
	var got string
	all := mid.EventHandlers{
		AuthenticationCompleted: func(_ context.Context, _ *mid.Event, a *mid.AuthSession) error {
			got = "authentication " + a.ID
			return nil
		},
		VerificationCompleted: func(_ context.Context, _ *mid.Event, v *mid.Verification) error {
			got = "verification " + v.ID
			return nil
		},
		SigningCompleted: func(_ context.Context, _ *mid.Event, s *mid.SigningSession) error {
			got = "signing " + s.ID
			return nil
		},
		Other: func(_ context.Context, e *mid.Event) error {
			got = "other " + string(e.Type)
			return nil
		},
	}
	tests := []struct {
		handlers mid.EventHandlers
		typ      mid.EventType
		want     string
	}{
		{all, mid.EventAuthenticationCompleted, "authentication a_1"},
		{all, mid.EventVerificationCompleted, "verification a_1"},
		{all, mid.EventSigningCompleted, "signing a_1"},
		{all, "moon.landed", "other moon.landed"},
		{otherHook(all.Other), mid.EventAuthenticationCompleted, "other authentication.completed"},
		{otherHook(all.Other), mid.EventVerificationCompleted, "other verification.completed"},
		{otherHook(all.Other), mid.EventSigningCompleted, "other signing.completed"},
		{mid.EventHandlers{}, mid.EventSigningCompleted, ""},
		{mid.EventHandlers{}, "moon.landed", ""},
	}
	for _, tt := range tests {
		got = ""
		w := deliverHook(newHooks(t, mid.WebhookConfig{}).Handler(tt.handlers), hookRequest(hookPayload("evt_1", tt.typ, `{"id":"a_1"}`)))
		require.Equal(t, 204, w.Code)
		require.Empty(t, w.Body.String())
		require.Equal(t, tt.want, got)
	}
}

func TestWebhookHandlerOutcomes(t *testing.T) {
	broken := errors.New("store is down")
	tests := map[string]struct {
		store   hookStore
		handler func(context.Context, *mid.Event) error
		status  int
		calls   []string
	}{
		"handled": {
			handler: func(context.Context, *mid.Event) error { return nil },
			status:  204, calls: []string{"claim evt_1", "done"},
		},
		"handler fails": {
			handler: func(context.Context, *mid.Event) error { return errors.New("Sesame") },
			status:  500, calls: []string{"claim evt_1", "release"},
		},
		"handler panics": {
			handler: func(context.Context, *mid.Event) error { panic("Sesame") },
			status:  500, calls: []string{"claim evt_1", "release"},
		},
		"handler aborts": {
			handler: func(context.Context, *mid.Event) error { panic(http.ErrAbortHandler) },
			status:  500, calls: []string{"claim evt_1", "release"},
		},
		"duplicate": {
			store:  hookStore{claim: func(context.Context) (mid.EventClaim, error) { return nil, mid.ErrEventHandled }},
			status: 204, calls: []string{"claim evt_1"},
		},
		"in hand": {
			store:  hookStore{claim: func(context.Context) (mid.EventClaim, error) { return nil, mid.ErrEventInHand }},
			status: 503, calls: []string{"claim evt_1"},
		},
		"neither claim nor error": {
			store:  hookStore{claim: func(context.Context) (mid.EventClaim, error) { return nil, nil }},
			status: 503, calls: []string{"claim evt_1"},
		},
		"no context": {
			store:  hookStore{begin: func(context.Context) (context.Context, error) { return nil, broken }},
			status: 503, calls: []string{"claim evt_1", "release"},
		},
		"claim fails": {
			store:  hookStore{claim: func(context.Context) (mid.EventClaim, error) { return nil, broken }},
			status: 503, calls: []string{"claim evt_1"},
		},
		"claim fails after all": {
			store:  hookStore{claim: func(context.Context) (mid.EventClaim, error) { return new(hookStore), broken }},
			status: 503, calls: []string{"claim evt_1"},
		},
		"done fails": {
			store:   hookStore{settle: func(context.Context) error { return broken }},
			handler: func(context.Context, *mid.Event) error { return nil },
			status:  503, calls: []string{"claim evt_1", "done"},
		},
		"release fails": {
			store:   hookStore{settle: func(context.Context) error { return broken }},
			handler: func(context.Context, *mid.Event) error { return errors.New("Sesame") },
			status:  500, calls: []string{"claim evt_1", "release", "release"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			hooks := newHooks(t, mid.WebhookConfig{Store: &tt.store})
			if tt.handler == nil {
				tt.handler = func(context.Context, *mid.Event) error { t.Error("the handler ran"); return nil }
			}
			w := deliverHook(hooks.Handler(otherHook(tt.handler)), hookRequest(hookPayload("evt_1", "x", "{}")))
			require.Equal(t, tt.status, w.Code)
			require.Equal(t, tt.calls, tt.store.calls)
			require.NotContains(t, w.Body.String(), "Sesame")
		})
	}
}

func TestWebhookHandlerRunsAgainAfterAFailure(t *testing.T) {
	var outcomes []func() error
	outcomes = append(outcomes,
		func() error { return errors.New("try again") },
		func() error { panic("try again") },
		func() error { return nil },
		func() error { t.Error("a handled event ran again"); return nil },
	)
	runs := 0
	h := newHooks(t, mid.WebhookConfig{}).Handler(otherHook(func(context.Context, *mid.Event) error {
		runs++
		return outcomes[runs-1]()
	}))
	for _, status := range []int{500, 500, 204, 204} {
		require.Equal(t, status, deliverHook(h, hookRequest(hookPayload("evt_1", "x", "{}"))).Code)
	}
	require.Equal(t, 3, runs)
}

func TestWebhookHandlerReleasesUndecodableData(t *testing.T) {
	store := new(hookStore)
	h := newHooks(t, mid.WebhookConfig{Store: store}).Handler(mid.EventHandlers{
		AuthenticationCompleted: func(context.Context, *mid.Event, *mid.AuthSession) error {
			t.Error("the handler ran")
			return nil
		},
	})
	for _, data := range []string{`[]`, `{"id":1}`, `{"status":["approved"]}`} {
		store.calls = nil
		require.Equal(t, 500, deliverHook(h, hookRequest(hookPayload("evt_1", mid.EventAuthenticationCompleted, data))).Code)
		require.Equal(t, []string{"claim evt_1", "release"}, store.calls)
	}
}

func TestWebhookHandlerReleasesWhenTheHandlerEndsItsGoroutine(t *testing.T) {
	store := new(hookStore)
	h := newHooks(t, mid.WebhookConfig{Store: store}).Handler(otherHook(func(context.Context, *mid.Event) error {
		runtime.Goexit()
		return nil
	}))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		deliverHook(h, hookRequest(hookPayload("evt_1", "x", "{}")))
	}()
	<-ended
	require.Equal(t, []string{"claim evt_1", "release"}, store.calls)
}

func TestWebhookHandlerRunsSimultaneousDeliveriesOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var runs atomic.Int32
		h := newHooks(t, mid.WebhookConfig{}).Handler(otherHook(func(context.Context, *mid.Event) error {
			runs.Add(1)
			time.Sleep(time.Second)
			return nil
		}))
		payload := hookPayload("evt_1", "x", "{}")
		statuses := make(chan int, 50)
		for range cap(statuses) {
			go func() { statuses <- deliverHook(h, hookRequest(payload)).Code }()
		}
		got := map[int]int{}
		for range cap(statuses) {
			got[<-statuses]++
		}
		require.Equal(t, map[int]int{204: 1, 503: 49}, got)
		require.EqualValues(t, 1, runs.Load())
	})
}

type hookContextKey struct{}

func TestWebhookHandlerContexts(t *testing.T) {
	for name, result := range map[string]error{"done": nil, "release": errors.New("try again")} {
		t.Run(name, func(t *testing.T) {
			store := new(hookStore)
			ctx, cancel := context.WithCancel(context.WithValue(t.Context(), hookContextKey{}, "request"))
			h := newHooks(t, mid.WebhookConfig{Store: store}).Handler(otherHook(func(ctx context.Context, _ *mid.Event) error {
				require.Equal(t, "request", ctx.Value(hookContextKey{}))
				require.NoError(t, ctx.Err())
				cancel()
				require.ErrorIs(t, ctx.Err(), context.Canceled)
				return result
			}))
			deliverHook(h, hookRequest(hookPayload("evt_1", "x", "{}")).WithContext(ctx))
			require.Equal(t, []string{"claim evt_1", name}, store.calls)
			require.Equal(t, []error{nil, nil}, store.contexts, "the store's context must outlive the request's")
		})
	}
}

func TestWebhookHandlerBoundsTheStore(t *testing.T) {
	hang := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	for name, store := range map[string]*hookStore{
		"claim":  {claim: func(ctx context.Context) (mid.EventClaim, error) { return nil, hang(ctx) }},
		"settle": {settle: hang},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				h := newHooks(t, mid.WebhookConfig{Store: store}).Handler(mid.EventHandlers{})
				require.Equal(t, 503, deliverHook(h, hookRequest(hookPayload("evt_1", "x", "{}"))).Code)
				require.Equal(t, 5*time.Second, time.Since(start))
			})
		})
	}
}

func TestWebhookHandlerLogs(t *testing.T) {
	var logged bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	hooks := newHooks(t, mid.WebhookConfig{Logger: logger})
	fail := func() error { return nil }
	h := hooks.Handler(otherHook(func(context.Context, *mid.Event) error { return fail() }))
	payload := func() []byte { return hookPayload("evt_1", "moon.landed", `{"recipient":"+14155550123"}`) }
	expect := func(r *http.Request, want ...string) {
		t.Helper()
		logged.Reset()
		deliverHook(h, r)
		for _, text := range want {
			require.Contains(t, logged.String(), text)
		}
		for _, secret := range []string{hookSecret, "+14155550123", "recipient", r.Header.Get(mid.SignatureHeader)} {
			require.NotContains(t, logged.String(), secret)
		}
	}
	const event = "event.id=evt_1 event.type=moon.landed"

	fail = func() error { return errors.New("no database") }
	expect(hookRequest(payload()), "level=ERROR", "outcome=failed", event, "no database")
	fail = func() error { panic("nil map") }
	expect(hookRequest(payload()), "level=ERROR", "outcome=failed", event, "panic: nil map", "stack=", "webhookhandler_test.go")
	fail = func() error { return nil }
	expect(hookRequest(payload()), "level=DEBUG", "outcome=acknowledged", event)
	expect(hookRequest(payload()), "level=DEBUG", "outcome=duplicate", event)
	expect(hookRequest([]byte(`{"recipient":"+14155550123"`)), "level=WARN", "outcome=refused", "it is not JSON, or only its first 26 bytes are")
	deliverHook(newHooks(t, mid.WebhookConfig{Logger: logger}).Handler(mid.EventHandlers{}), hookRequest(payload()))
	require.Contains(t, logged.String(), "outcome=dropped "+event)
	wrong := hookRequest(payload())
	wrong.Header.Set(mid.SignatureHeader, hookMAC("whsec_other", payload()))
	expect(wrong, "level=WARN", "outcome=refused", "signature is invalid")
}

func TestWebhookHandlerLogsStoreFailures(t *testing.T) {
	broken := errors.New("store is down")
	for outcome, tt := range map[string]struct {
		store  *hookStore
		result error
	}{
		"not claimed":     {&hookStore{claim: func(context.Context) (mid.EventClaim, error) { return nil, broken }}, nil},
		"not marked done": {&hookStore{settle: func(context.Context) error { return broken }}, nil},
		"not released":    {&hookStore{settle: func(context.Context) error { return broken }}, errors.New("try again")},
	} {
		var logged bytes.Buffer
		hooks := newHooks(t, mid.WebhookConfig{Store: tt.store, Logger: slog.New(slog.NewTextHandler(&logged, nil))})
		deliverHook(hooks.Handler(otherHook(func(context.Context, *mid.Event) error { return tt.result })),
			hookRequest(hookPayload("evt_1", "x", "{}")))
		require.Contains(t, logged.String(), `outcome="`+outcome+`" event.id=evt_1 event.type=x error="store is down"`)
	}
}

// It does so for a length that is declared and for one that is not, and behind
// middleware that wraps the http.ResponseWriter.
func TestWebhookHandlerClosesTheConnectionAfterAnOversizedBody(t *testing.T) {
	hooks := newHooks(t, mid.WebhookConfig{MaxBodyBytes: 100}).Handler(mid.EventHandlers{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hooks.ServeHTTP(struct{ http.ResponseWriter }{w}, r)
	}))
	defer server.Close()
	for _, length := range []int64{101, -1} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, bytes.NewReader(make([]byte, 101)))
		require.NoError(t, err)
		r.Header, r.ContentLength = hookHeader(nil), length
		res, err := server.Client().Do(r)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, 413, res.StatusCode)
		require.True(t, res.Close)
	}
}
