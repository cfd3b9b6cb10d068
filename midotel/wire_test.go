package midotel_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

// A wire send has the attributes that the semantic conventions ask of a client's
// span.
func TestWireSend(t *testing.T) {
	srv := midtest.NewServer()
	defer srv.Close()
	tel := newTelemetry(t)
	client := tel.client(srv, quick())
	session, err := client.Authentication.CreateSession(t.Context(), login)
	require.NoError(t, err)
	srv.Inject(midtest.Fault{Method: http.MethodGet, Path: "/auth/sessions/" + session.ID, Status: http.StatusBadGateway})
	_, err = client.Authentication.GetSession(t.Context(), session.ID)
	require.NoError(t, err)

	sends := tel.named("GET /auth/sessions/{id}")
	require.Len(t, sends, 2)
	base, err := url.Parse(srv.URL)
	require.NoError(t, err)
	first, second := attrs(sends[0]), attrs(sends[1])
	require.Equal(t, map[string]string{
		"http.request.method":       "GET",
		"http.response.status_code": "502",
		"error.type":                "502",
		"url.template":              "/auth/sessions/{id}",
		"url.full":                  srv.URL + "/auth/sessions/{id}",
		"server.address":            base.Hostname(),
		"server.port":               base.Port(),
		"network.protocol.version":  "1.1",
		"mid.operation":             "auth.sessions.get",
	}, first)
	require.Equal(t, codes.Error, sends[0].Status().Code)
	require.Equal(t, "200", second["http.response.status_code"])
	require.Equal(t, "1", second["http.request.resend_count"])
	require.Equal(t, trace.SpanKindClient, sends[0].SpanKind())
	require.Contains(t, tel.points(t, "http.client.request.duration"),
		"error.type=502 http.request.method=GET http.response.status_code=502 url.template=/auth/sessions/{id}: 1")
	rest := tel.points(t, "mid.client.rate_limit.remaining")
	require.Len(t, rest, 1)
	require.Equal(t, fmt.Sprintf(": %d", client.RateLimit().Remaining), rest[0])
}

// The span of a send covers the reading of its answer.
func TestAnswerThatIsCutOff(t *testing.T) {
	srv := midtest.NewServer()
	defer srv.Close()
	srv.Inject(midtest.Fault{Method: http.MethodPost, Path: "/auth/sessions", Truncate: true})
	tel := newTelemetry(t)
	_, err := tel.client(srv, quick()).Authentication.CreateSession(t.Context(), login)
	require.NoError(t, err)
	sends := tel.named("POST /auth/sessions")
	require.Len(t, sends, 2)
	require.Equal(t, codes.Error, sends[0].Status().Code)
	require.Equal(t, "201", attrs(sends[0])["http.response.status_code"])
	require.NotEmpty(t, attrs(sends[0])["error.type"])
}

func TestSendThatTimesOut(t *testing.T) {
	srv := midtest.NewServer()
	defer srv.Close()
	srv.Inject(midtest.Fault{Method: http.MethodPost, Path: "/auth/sessions", Latency: time.Minute})
	tel := newTelemetry(t)
	_, err := tel.client(srv, quick(), mid.WithAttemptTimeout(300*time.Millisecond)).Authentication.CreateSession(t.Context(), login)
	require.NoError(t, err)
	sends := tel.named("POST /auth/sessions")
	require.Len(t, sends, 2)
	require.Equal(t, "timeout", attrs(sends[0])["error.type"])
}

func TestRefusalsAreCounted(t *testing.T) {
	srv := midtest.NewServer()
	defer srv.Close()
	srv.Inject(midtest.Fault{Method: http.MethodPost, Path: "/auth/sessions", Status: http.StatusTooManyRequests})
	tel := newTelemetry(t)
	_, err := tel.client(srv, mid.WithRetry(mid.RetryPolicy{})).Authentication.CreateSession(t.Context(), login)
	require.ErrorIs(t, err, mid.ErrRateLimited)
	require.Equal(t, []string{": 1"}, tel.points(t, "mid.client.rate_limit.refusals"))
}

// Middleware that panics leaves no span open.
func TestSendThatPanics(t *testing.T) {
	srv := midtest.NewServer()
	defer srv.Close()
	tel := newTelemetry(t)
	client := tel.client(srv, mid.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
		return tripper(func(r *http.Request) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "/auth/sessions") {
				panic("middleware")
			}
			return next.RoundTrip(r)
		})
	}))
	require.PanicsWithValue(t, "middleware", func() { _, _ = client.Authentication.CreateSession(t.Context(), login) })
	require.Len(t, tel.spans.Ended(), len(tel.spans.Started()))
	require.Equal(t, codes.Error, tel.one(t, "auth.sessions.create").Status().Code)
}

type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Telemetry is kept for long and read by many.
func TestNothingSecretOrPersonalIsRecorded(t *testing.T) {
	// An application that propagates its own traces has this.
	otel.SetTextMapPropagator(propagation.TraceContext{})
	t.Cleanup(func() { otel.SetTextMapPropagator(propagation.NewCompositeTextMapPropagator()) })
	srv := midtest.NewServer()
	defer srv.Close()
	tel := newTelemetry(t)
	client := tel.client(srv, quick())
	session, err := client.Authentication.CreateSession(t.Context(), login)
	require.NoError(t, err)
	srv.Approve(session.ID, "user_ada")
	_, err = client.Authentication.Verify(t.Context(), mid.VerifyAuthenticationParams{SessionID: session.ID})
	require.NoError(t, err)
	err = client.Call(t.Context(), http.MethodGet, "/people/ada@example.com?name=Ada", nil, nil)
	require.ErrorIs(t, err, mid.ErrNotFound)
	require.Error(t, client.Call(t.Context(), "ADA", "/people", nil, nil))
	_, err = client.Authentication.GetSession(t.Context(), "ada@example.com")
	require.Error(t, err)

	secrets := []string{srv.ClientSecret, "4155550123", "user_ada", "ada@example.com", "name=", "Ada", "ADA", session.ID}
	for _, r := range srv.Requests() {
		require.Empty(t, r.Header.Get("Traceparent"))
		if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
			secrets = append(secrets, token)
		}
	}
	require.Greater(t, len(secrets), 8)
	recorded := dump(t, tel.spans.Ended())
	metrics, err := json.Marshal(tel.metrics(t))
	require.NoError(t, err)
	require.Contains(t, recorded, "/v1/auth/sessions/{id}")
	for _, secret := range secrets {
		require.NotContains(t, recorded, secret)
		require.NotContains(t, string(metrics), secret)
	}
}

// dump returns all that exporters see of spans.
func dump(t *testing.T, spans []sdktrace.ReadOnlySpan) string {
	t.Helper()
	var b strings.Builder
	for _, s := range spans {
		fmt.Fprintln(&b, s.Name(), s.Attributes(), s.Status(), s.Events(), s.Links())
	}
	return b.String()
}

// Without a sampled span, and with providers that do nothing, calls work as ever.
func TestWithoutProviders(t *testing.T) {
	srv := midtest.NewServer()
	defer srv.Close()
	tel := newTelemetry(t)
	never := sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample()))
	ctx, span := never.Tracer("test").Start(context.Background(), "not sampled")
	defer span.End()
	_, err := tel.client(srv).Authentication.CreateSession(ctx, login)
	require.NoError(t, err)
	require.Empty(t, tel.spans.Ended(), "the parent decides")
	require.Equal(t, []string{"mid.operation=auth.sessions.create: 1"}, tel.points(t, "mid.client.call.duration"))
}
