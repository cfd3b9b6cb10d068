package midotel_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/mobid-io/mid-go"
)

const secret = "webhook-secret-of-the-test"

func event(id, kind string) string {
	return `{"id":"` + id + `","type":"` + kind + `","timestamp":"` + time.Now().UTC().Format(time.RFC3339) +
		`","client_id":"client_1","data":{"id":"sess_1","status":"approved"}}`
}

// Each delivery is a span, and its outcome the status that MID gets.
func TestWebhooks(t *testing.T) {
	service, err := mid.NewWebhookService(mid.WebhookConfig{Secrets: []string{secret}})
	require.NoError(t, err)
	tel := newTelemetry(t)
	handlers := mid.EventHandlers{
		AuthenticationCompleted: func(context.Context, *mid.Event, *mid.AuthSession) error { return nil },
		VerificationCompleted: func(context.Context, *mid.Event, *mid.Verification) error {
			return errors.New("the database is gone")
		},
		Other: func(ctx context.Context, _ *mid.Event) error {
			_, span := tel.tracer.Start(ctx, "application")
			span.End()
			return nil
		},
	}
	handler := tel.Handler(service, handlers)
	for _, test := range []struct {
		payload, signature string
		status             int
	}{
		{event("evt_1", "authentication.completed"), "", 204},
		{event("evt_2", "verification.completed"), "", 500},
		{event("evt_3", "unheard.of"), "", 204},
		{event("evt_4", "authentication.completed"), strings.Repeat("0", 64), 401},
	} {
		if test.signature == "" {
			test.signature = service.Sign([]byte(test.payload))
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/webhooks?token=abc", strings.NewReader(test.payload))
		r.Header.Set(mid.SignatureHeader, test.signature)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		require.Equal(t, test.status, w.Code)
	}
	payload := event("evt_5", "signing.completed")
	reply := tel.Handle(t.Context(), service, []byte(payload), http.Header{mid.SignatureHeader: {service.Sign([]byte(payload))}}, handlers)
	require.Equal(t, 204, reply.Status)

	require.ElementsMatch(t, []string{
		"http.response.status_code=204 mid.event.type=authentication.completed: 1",
		"error.type=500 http.response.status_code=500 mid.event.type=verification.completed: 1",
		"http.response.status_code=204 mid.event.type=_OTHER: 1",
		"http.response.status_code=401: 1",
		"http.response.status_code=204 mid.event.type=signing.completed: 1",
	}, tel.points(t, "mid.webhook.duration"))
	spans := tel.named("mid webhook")
	require.Len(t, spans, 5)
	require.Equal(t, trace.SpanKindServer, spans[0].SpanKind())
	require.Equal(t, trace.SpanKindConsumer, spans[4].SpanKind())
	require.Equal(t, codes.Error, spans[1].Status().Code)
	require.Equal(t, spans[2].SpanContext().SpanID(), tel.named("application")[0].Parent().SpanID())
	recorded := dump(t, tel.spans.Ended())
	for _, hidden := range []string{"sess_1", "evt_", "unheard", "abc", "database"} {
		require.NotContains(t, recorded, hidden)
	}
}

// An event without a handler is acknowledged, as it is without telemetry.
func TestWebhookWithoutAHandler(t *testing.T) {
	service, err := mid.NewWebhookService(mid.WebhookConfig{Secrets: []string{secret}})
	require.NoError(t, err)
	tel := newTelemetry(t)
	payload := event("evt_1", "signing.completed")
	reply := tel.Handle(nil, service, []byte(payload), http.Header{mid.SignatureHeader: {service.Sign([]byte(payload))}}, mid.EventHandlers{}) //nolint:staticcheck // as Handle takes it
	require.Equal(t, 204, reply.Status)
	require.Equal(t, []string{"http.response.status_code=204: 1"}, tel.points(t, "mid.webhook.duration"))
}

// A delivery below a span of the application's own server is internal to that. One
// whose parent is the sender's is not.
func TestWebhookBelowASpan(t *testing.T) {
	service, err := mid.NewWebhookService(mid.WebhookConfig{Secrets: []string{secret}})
	require.NoError(t, err)
	tel := newTelemetry(t)
	ctx, parent := tel.tracer.Start(t.Context(), "application")
	for _, test := range []struct {
		ctx  context.Context
		kind trace.SpanKind
	}{
		{ctx, trace.SpanKindInternal},
		{trace.ContextWithRemoteSpanContext(t.Context(), parent.SpanContext()), trace.SpanKindServer},
	} {
		tel.spans.Reset()
		r := httptest.NewRequestWithContext(test.ctx, http.MethodPost, "/webhooks", http.NoBody)
		tel.Handler(service, mid.EventHandlers{}).ServeHTTP(httptest.NewRecorder(), r)
		span := tel.one(t, "mid webhook")
		require.Equal(t, test.kind, span.SpanKind())
		require.Equal(t, parent.SpanContext().SpanID(), span.Parent().SpanID())
	}
}

// A handler that panics or ends its goroutine leaves a span that says so.
func TestWebhookHandlerThatDoesNotReturn(t *testing.T) {
	service, err := mid.NewWebhookService(mid.WebhookConfig{Secrets: []string{secret}})
	require.NoError(t, err)
	for name, leave := range map[string]func(){"panics": func() { panic("handler") }, "ends its goroutine": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			tel := newTelemetry(t)
			handlers := mid.EventHandlers{Other: func(context.Context, *mid.Event) error { leave(); return nil }}
			payload := []byte(event("evt_1", "signing.completed"))
			header := http.Header{mid.SignatureHeader: {service.Sign(payload)}}
			for _, deliver := range []func(){
				func() { tel.Handle(t.Context(), service, payload, header, handlers) },
				func() {
					r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/webhooks", bytes.NewReader(payload))
					r.Header = header
					tel.Handler(service, handlers).ServeHTTP(httptest.NewRecorder(), r)
				},
			} {
				var all sync.WaitGroup
				all.Go(deliver)
				all.Wait()
			}
			spans := tel.named("mid webhook")
			require.Len(t, spans, 2)
			for _, s := range spans {
				require.Equal(t, "500", attrs(s)["error.type"])
			}
		})
	}
}
