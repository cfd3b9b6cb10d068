package main

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/mobid-io/mid-go"
)

// instrument returns a client that is traced, measured and logged.
func (t *telemetry) instrument(clientID, clientSecret string, opts ...mid.Option) (*mid.Client, error) {
	client, err := mid.NewClient(clientID, clientSecret, append(opts,
		mid.WithMiddleware(t.observed),
		mid.WithLogger(t.logger))...)
	if err != nil {
		return nil, err
	}
	// The quota is the API's most useful number: alert on it before it is 0.
	_, err = t.meter.Int64ObservableGauge("mid.rate_limit.remaining",
		metric.WithDescription("Requests that may still be sent now"),
		metric.WithUnit("{request}"),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			if quota := client.RateLimit(); quota.Limit > 0 {
				o.Observe(int64(quota.Remaining))
			}
			return nil
		}))
	return client, err
}

// observed makes a client span, and measures, for each request that leaves. A
// call that is retried once makes two spans, one for each attempt, as
// OpenTelemetry asks of HTTP clients. Their parent is the span in the ctx of the
// call, see call. The span of a token request is below the call that needed the
// token first.
func (t *telemetry) observed(next http.RoundTripper) http.RoundTripper {
	return otelhttp.NewTransport(next,
		otelhttp.WithTracerProvider(t.traces),
		otelhttp.WithMeterProvider(t.metrics),
		otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string {
			op, _ := mid.OperationFrom(r.Context())
			return op.Name // without ids: spans of the same kind need the same name
		}),
		// The global propagator would send the ids of the trace to MID, and its
		// baggage with whatever the application has put there.
		otelhttp.WithPropagators(propagation.NewCompositeTextMapPropagator()),
	)
}

// call gives one call of the SDK one span, however often it is sent: the
// parent of the attempts' spans.
func call[T any](ctx context.Context, tracer trace.Tracer, name string, do func(context.Context, mid.RequestOption) (T, error)) (T, error) {
	ctx, span := tracer.Start(ctx, "mid "+name)
	defer span.End()
	var r mid.Response // is filled after failures, too
	v, err := do(ctx, mid.WithResponse(&r))
	span.SetAttributes(
		attribute.Int("mid.attempts", r.Attempts),
		attribute.String("mid.request_id", r.RequestID)) // what MID's support asks for
	if err != nil {
		// Not the error's text, part of which may come from a server.
		span.SetStatus(codes.Error, cmp.Or(http.StatusText(r.StatusCode), "no answer"))
	}
	return v, err
}

// traced adds the trace's id to every log line of that trace, those of the SDK
// included: it logs with the ctx of the call.
type traced struct{ slog.Handler }

func (h traced) Handle(ctx context.Context, r slog.Record) error {
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		r.AddAttrs(slog.String("trace_id", span.TraceID().String()))
	}
	return h.Handler.Handle(ctx, r)
}

func (h traced) WithAttrs(attrs []slog.Attr) slog.Handler { return traced{h.Handler.WithAttrs(attrs)} }

func (h traced) WithGroup(name string) slog.Handler { return traced{h.Handler.WithGroup(name)} }
