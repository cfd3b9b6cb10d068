package midotel_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"golang.org/x/oauth2"

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
			client, err := mid.NewClient("id", "secret", append(opts,
				mid.WithTokenSource(mid.OAuth2TokenSource(oauth2.StaticTokenSource(
					&oauth2.Token{AccessToken: "token", Expiry: time.Now().Add(time.Hour)}))),
				mid.WithHTTPClient(&http.Client{Transport: tripper(pending)}))...)
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

func pending(*http.Request) (*http.Response, error) {
	const session = `{"success":true,"data":{"id":"sess_1","status":"pending"},"meta":{"request_id":"req_1"}}`
	return &http.Response{StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{},
		Body: io.NopCloser(strings.NewReader(session))}, nil
}
