package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/stdout/stdoutmetric"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// telemetry is what an application sets up once, in main.
type telemetry struct {
	traces  *sdktrace.TracerProvider
	metrics *sdkmetric.MeterProvider
	tracer  trace.Tracer
	meter   metric.Meter
	logger  *slog.Logger
}

func newTelemetry(w io.Writer, raw bool) (*telemetry, error) {
	w = &syncWriter{w: w} // log, traces and metrics come from goroutines of their own
	spans, points, handler, err := exporters(w, raw)
	if err != nil {
		return nil, err
	}
	service := resource.NewSchemaless(attribute.String("service.name", "shop"))
	t := &telemetry{
		// Without further options every trace is recorded. Where there are
		// many, add a sdktrace.WithSampler.
		traces: sdktrace.NewTracerProvider(sdktrace.WithResource(service), sdktrace.WithBatcher(spans)),
		metrics: sdkmetric.NewMeterProvider(sdkmetric.WithResource(service),
			sdkmetric.WithReader(sdkmetric.NewPeriodicReader(points))),
		logger: slog.New(traced{handler}),
	}
	const scope = "github.com/mobid-io/mid-go/examples/observability"
	t.tracer, t.meter = t.traces.Tracer(scope), t.metrics.Meter(scope)
	return t, nil
}

// exporters decide where the telemetry goes; those of a server would send it
// to a collector.
func exporters(w io.Writer, raw bool) (sdktrace.SpanExporter, sdkmetric.Exporter, slog.Handler, error) {
	if !raw {
		return &spanPrinter{w: w}, metricPrinter{w}, slog.NewTextHandler(w, &slog.HandlerOptions{ReplaceAttr: brief}), nil
	}
	spans, err := stdouttrace.New(stdouttrace.WithWriter(w))
	if err != nil {
		return nil, nil, nil, err
	}
	points, err := stdoutmetric.New(stdoutmetric.WithWriter(w))
	return spans, points, slog.NewJSONHandler(w, nil), err
}

// shutdown sends off what has been gathered. Programs that leave it out lose
// their last seconds.
func (t *telemetry) shutdown(ctx context.Context) error {
	return errors.Join(t.traces.Shutdown(ctx), t.metrics.Shutdown(ctx))
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

// brief is for lines that a person reads on a terminal.
func brief(groups []string, a slog.Attr) slog.Attr {
	switch {
	case len(groups) == 0 && a.Key == slog.TimeKey:
		return slog.Attr{}
	case a.Key == "trace_id":
		return slog.String(a.Key, a.Value.String()[:shortID])
	case a.Value.Kind() == slog.KindDuration:
		return slog.Duration(a.Key, a.Value.Duration().Round(10*time.Microsecond))
	}
	return a
}

type syncWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (s *syncWriter) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Write(p)
}
