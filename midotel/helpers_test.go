package midotel_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/oauth2"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midotel"
	"github.com/mobid-io/mid-go/midtest"
)

// telemetry is a Telemetry whose spans and metrics stay in memory.
type telemetry struct {
	*midotel.Telemetry
	tracer trace.Tracer
	spans  *tracetest.SpanRecorder
	reader *sdkmetric.ManualReader
}

func newTelemetry(t *testing.T) *telemetry {
	t.Helper()
	tel := &telemetry{spans: tracetest.NewSpanRecorder(), reader: sdkmetric.NewManualReader()}
	traces := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(tel.spans))
	var err error
	tel.Telemetry, err = midotel.New(midotel.Config{
		TracerProvider: traces,
		MeterProvider:  sdkmetric.NewMeterProvider(sdkmetric.WithReader(tel.reader)),
	})
	require.NoError(t, err)
	tel.tracer = traces.Tracer("test")
	return tel
}

// client returns a client of a fake server that tel observes.
func (tel *telemetry) client(srv *midtest.Server, opts ...mid.Option) *mid.Client {
	return srv.Client(append(tel.ClientOptions(), opts...)...)
}

// memory returns a client that tel observes and whose answers come from memory.
// Middleware of opts stands before that of tel.
func (tel *telemetry) memory(t *testing.T, opts ...mid.Option) *mid.Client {
	t.Helper()
	client, err := mid.NewClient("id", "secret", append(append(inMemory(), opts...), tel.ClientOptions()...)...)
	require.NoError(t, err)
	return client
}

// inMemory are the options of a client without a network.
func inMemory() []mid.Option {
	token := &oauth2.Token{AccessToken: "token", Expiry: time.Now().Add(time.Hour)}
	return []mid.Option{
		mid.WithTokenSource(mid.OAuth2TokenSource(oauth2.StaticTokenSource(token))),
		mid.WithHTTPClient(&http.Client{Transport: tripper(pending)}),
	}
}

func pending(*http.Request) (*http.Response, error) {
	const session = `{"success":true,"data":{"id":"sess_1","status":"pending"},"meta":{"request_id":"req_1"}}`
	return &http.Response{StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{},
		Body: io.NopCloser(strings.NewReader(session))}, nil
}

// tokenCache returns the cache of a client that tel observes.
func (tel *telemetry) tokenCache(t *testing.T, opts ...mid.Option) (cache mid.TokenCache) {
	t.Helper()
	outermost := mid.WithTokenCacheMiddleware(func(next mid.TokenCache) mid.TokenCache {
		cache = next
		return next
	})
	_, err := mid.NewClient("id", "secret", append(append([]mid.Option{outermost}, tel.ClientOptions()...), opts...)...)
	require.NoError(t, err)
	return cache
}

// named returns the ended spans of a name.
func (tel *telemetry) named(name string) (found []sdktrace.ReadOnlySpan) {
	for _, s := range tel.spans.Ended() {
		if s.Name() == name {
			found = append(found, s)
		}
	}
	return found
}

// one returns the only span of a name.
func (tel *telemetry) one(t *testing.T, name string) sdktrace.ReadOnlySpan {
	t.Helper()
	found := tel.named(name)
	require.Len(t, found, 1, "spans named %s", name)
	return found[0]
}

// attrs returns a span's attributes as texts.
func attrs(s sdktrace.ReadOnlySpan) map[string]string {
	all := make(map[string]string)
	for _, a := range s.Attributes() {
		all[string(a.Key)] = a.Value.String()
	}
	return all
}

// points returns the points of a metric, as "attributes: value".
func (tel *telemetry) points(t *testing.T, name string) (all []string) {
	t.Helper()
	for _, m := range tel.metrics(t) {
		if m.Name != name {
			continue
		}
		switch data := m.Data.(type) {
		case metricdata.Sum[int64]:
			for _, p := range data.DataPoints {
				all = append(all, fmt.Sprintf("%s: %d", text(p.Attributes), p.Value))
			}
		case metricdata.Gauge[int64]:
			for _, p := range data.DataPoints {
				all = append(all, fmt.Sprintf("%s: %d", text(p.Attributes), p.Value))
			}
		case metricdata.Histogram[int64]:
			for _, p := range data.DataPoints {
				all = append(all, fmt.Sprintf("%s: %d of %d", text(p.Attributes), p.Sum, p.Count))
			}
		case metricdata.Histogram[float64]:
			for _, p := range data.DataPoints {
				all = append(all, fmt.Sprintf("%s: %d", text(p.Attributes), p.Count))
			}
		}
	}
	return all
}

func (tel *telemetry) metrics(t *testing.T) (all []metricdata.Metrics) {
	t.Helper()
	var rm metricdata.ResourceMetrics
	require.NoError(t, tel.reader.Collect(t.Context(), &rm))
	for _, s := range rm.ScopeMetrics {
		all = append(all, s.Metrics...)
	}
	return all
}

// text leaves out the server's address, which differs in each run.
func text(set attribute.Set) string {
	var words []string
	for _, a := range set.ToSlice() {
		if a.Key != "server.address" && a.Key != "server.port" {
			words = append(words, string(a.Key)+"="+a.Value.String())
		}
	}
	return strings.Join(words, " ")
}

// quick is a retry policy without long pauses.
func quick() mid.Option {
	policy := mid.DefaultRetryPolicy()
	policy.MinWait, policy.MaxWait = 1, 1
	return mid.WithRetry(policy)
}

var login = mid.CreateAuthSessionParams{Intent: mid.IntentLogin, Recipient: "+14155550123"}

func unavailable(path string) midtest.Fault {
	return midtest.Fault{Method: http.MethodPost, Path: path, Status: http.StatusServiceUnavailable}
}
