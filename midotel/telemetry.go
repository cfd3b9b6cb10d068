package midotel

import (
	"fmt"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/mobid-io/mid-go"
)

const scope = "github.com/mobid-io/mid-go/midotel"

// Config says where telemetry goes. The zero value means the global providers.
type Config struct {
	// TracerProvider makes the spans. If nil, it is [otel.GetTracerProvider].
	TracerProvider trace.TracerProvider
	// MeterProvider makes the metrics. If nil, it is [otel.GetMeterProvider].
	MeterProvider metric.MeterProvider
}

// Telemetry makes the spans and metrics of any number of clients and webhook
// receivers. It is safe for concurrent use, and needs no closing.
type Telemetry struct {
	tracer trace.Tracer
	instruments
}

// New returns a Telemetry. It fails if the meter provider can't make an instrument.
func New(cfg Config) (*Telemetry, error) {
	if cfg.TracerProvider == nil {
		cfg.TracerProvider = otel.GetTracerProvider()
	}
	if cfg.MeterProvider == nil {
		cfg.MeterProvider = otel.GetMeterProvider()
	}
	version, schema := mid.Version, semconv.SchemaURL
	t := &Telemetry{tracer: cfg.TracerProvider.Tracer(scope,
		trace.WithInstrumentationVersion(version), trace.WithSchemaURL(schema))}
	var err error
	t.instruments, err = newInstruments(cfg.MeterProvider.Meter(scope,
		metric.WithInstrumentationVersion(version), metric.WithSchemaURL(schema)))
	if err != nil {
		return nil, fmt.Errorf("midotel: %w", err)
	}
	return t, nil
}
