package midotel_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midotel"
)

// BenchmarkCall measures what telemetry adds to a GET whose answer comes from
// memory.
func BenchmarkCall(b *testing.B) {
	for _, test := range []struct {
		name    string
		sampler sdktrace.Sampler // nil without telemetry
	}{
		{"without", nil},
		{"sampled", sdktrace.AlwaysSample()},
		{"not sampled", sdktrace.NeverSample()},
	} {
		b.Run(test.name, func(b *testing.B) {
			opts := []mid.Option{}
			if test.sampler != nil {
				tel, err := midotel.New(midotel.Config{
					TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSampler(test.sampler)),
					MeterProvider:  sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader())),
				})
				require.NoError(b, err)
				opts = tel.ClientOptions()
			}
			client, err := mid.NewClient("id", "secret", append(opts, inMemory()...)...)
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := client.Authentication.GetSession(b.Context(), "sess_1"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
