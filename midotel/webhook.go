package midotel

import (
	"context"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/mobid-io/mid-go"
)

// Handler returns [mid.WebhookService.Handler] of service with a span and metrics
// for each delivery. They have the status that MID gets, and the type of the event if
// a handler ran for it.
func (t *Telemetry) Handler(service *mid.WebhookService, handlers mid.EventHandlers) http.Handler {
	return t.observed(service.Handler(typed(handlers)))
}

// Handle calls [mid.WebhookService.Handle] of service, with a span of kind consumer and
// the metrics of [Telemetry.Handler].
func (t *Telemetry) Handle(ctx context.Context, service *mid.WebhookService, payload []byte, header http.Header, handlers mid.EventHandlers) mid.Reply {
	if ctx == nil {
		ctx = context.Background()
	}
	d := t.startDelivery(ctx, trace.SpanKindConsumer)
	reply := mid.Reply{Status: http.StatusInternalServerError}
	defer func() { d.end(reply.Status) }() // a handler may end its goroutine
	reply = service.Handle(d.ctx, payload, header, typed(handlers))
	return reply
}

func (t *Telemetry) observed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d := t.startDelivery(r.Context(), trace.SpanKindServer)
		d.span.SetAttributes(method(r.Method))
		status := &statusWriter{ResponseWriter: w}
		defer func() { d.end(status.code) }()
		next.ServeHTTP(status, r.WithContext(d.ctx))
	})
}

// delivery is the telemetry of one delivery.
type delivery struct {
	t     *Telemetry
	ctx   context.Context
	span  trace.Span
	begun time.Time
	kind  string // the event's type, or empty
}

type deliveryKey struct{}

// startDelivery makes a span of a kind, or an internal one if the application's own
// instrumentation has made a span of the delivery already.
func (t *Telemetry) startDelivery(ctx context.Context, kind trace.SpanKind) *delivery {
	if parent := trace.SpanContextFromContext(ctx); parent.IsValid() && !parent.IsRemote() {
		kind = trace.SpanKindInternal
	}
	d := &delivery{t: t, begun: time.Now()}
	ctx, d.span = t.tracer.Start(ctx, "mid webhook", trace.WithSpanKind(kind))
	d.ctx = context.WithValue(ctx, deliveryKey{}, d)
	return d
}

func (d *delivery) end(status int) {
	attrs := []attribute.KeyValue{semconv.HTTPResponseStatusCode(status)}
	if d.kind != "" {
		attrs = append(attrs, keyEventType.String(d.kind))
	}
	if status >= http.StatusInternalServerError {
		attrs = append(attrs, statusType(status))
		d.span.SetStatus(codes.Error, "")
	}
	d.t.webhooks.Record(d.ctx, time.Since(d.begun).Seconds(), metric.WithAttributes(attrs...))
	d.span.SetAttributes(attrs...)
	d.span.End()
}

// note records the type of the event. An unknown type comes from outside and has no
// bound, so it becomes _OTHER.
func note(ctx context.Context, e *mid.Event) {
	d, ok := ctx.Value(deliveryKey{}).(*delivery)
	if !ok {
		return
	}
	switch e.Type {
	case mid.EventAuthenticationCompleted, mid.EventVerificationCompleted, mid.EventSigningCompleted:
		d.kind = string(e.Type)
	default:
		d.kind = "_OTHER"
	}
}

// typed returns handlers that note the type of their event first.
func typed(h mid.EventHandlers) mid.EventHandlers {
	out := mid.EventHandlers{
		AuthenticationCompleted: noting(h.AuthenticationCompleted),
		VerificationCompleted:   noting(h.VerificationCompleted),
		SigningCompleted:        noting(h.SigningCompleted),
	}
	if h.Other != nil {
		out.Other = func(ctx context.Context, e *mid.Event) error {
			note(ctx, e)
			return h.Other(ctx, e)
		}
	}
	return out
}

func noting[T any](handle func(context.Context, *mid.Event, *T) error) func(context.Context, *mid.Event, *T) error {
	if handle == nil {
		return nil
	}
	return func(ctx context.Context, e *mid.Event, data *T) error {
		note(ctx, e)
		return handle(ctx, e, data)
	}
}

// statusWriter keeps the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	code int
}

func (w *statusWriter) WriteHeader(code int) {
	w.code = code
	w.ResponseWriter.WriteHeader(code)
}

// Unwrap is for [http.ResponseController].
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
