package main

import (
	"context"
	"errors"
	"log/slog"

	"go.opentelemetry.io/otel/attribute"
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

// newTelemetry sends traces and metrics to the exporters. Every trace is
// recorded; where there are many, add a sdktrace.WithSampler.
func newTelemetry(spans sdktrace.SpanExporter, points sdkmetric.Exporter, log slog.Handler) *telemetry {
	const scope = "github.com/mobid-io/mid-go/examples/observability"
	service := resource.NewSchemaless(attribute.String("service.name", "shop"))
	t := &telemetry{
		traces: sdktrace.NewTracerProvider(sdktrace.WithResource(service), sdktrace.WithBatcher(spans)),
		metrics: sdkmetric.NewMeterProvider(sdkmetric.WithResource(service),
			sdkmetric.WithReader(sdkmetric.NewPeriodicReader(points))),
		logger: slog.New(traced{log}),
	}
	t.tracer, t.meter = t.traces.Tracer(scope), t.metrics.Meter(scope)
	return t
}

// shutdown sends what has been gathered. A program that leaves it out loses its
// last seconds.
func (t *telemetry) shutdown(ctx context.Context) error {
	return errors.Join(t.traces.Shutdown(ctx), t.metrics.Shutdown(ctx))
}
