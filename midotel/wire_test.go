package midotel_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
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
	require.Equal(t, "network", attrs(sends[0])["error.type"])
	require.Len(t, tel.points(t, "http.client.request.duration"), 3, "the token's send, and each of the call's once")
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
	for _, name := range []string{"auth.sessions.create", "POST /auth/sessions"} {
		span := tel.one(t, name)
		require.Equal(t, codes.Error, span.Status().Code)
		require.Equal(t, "_OTHER", attrs(span)["error.type"])
	}
}

// An attempt that is left behind has its span in time, even if nothing returns.
func TestSendThatIsLeftBehind(t *testing.T) {
	srv := midtest.NewServer()
	defer srv.Close()
	tel := newTelemetry(t)
	free := make(chan struct{})
	stuck := &stuckReader{Reader: strings.NewReader("%PDF-1.7" + strings.Repeat(" ", 1<<20)), began: make(chan struct{}), free: free}
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		<-stuck.began
		cancel(errors.New("the user ada@example.com has left"))
	}()
	_, err := tel.client(srv).Signing.UploadDocument(ctx, mid.UploadSigningDocumentParams{
		File: mid.FileFromReader("contract.pdf", stuck)})
	require.ErrorIs(t, err, context.Canceled)
	require.Eventually(t, func() bool { return len(tel.named("POST /signing/documents")) == 1 }, 5*time.Second, time.Millisecond)
	close(free)
	span := tel.one(t, "POST /signing/documents")
	require.Equal(t, "canceled", attrs(span)["error.type"])
	require.Equal(t, "canceled", attrs(tel.one(t, "signing.documents.upload"))["error.type"])
}

// stuckReader is a file whose end comes when it is set free.
type stuckReader struct {
	io.Reader
	began chan struct{}
	free  <-chan struct{}
	once  sync.Once
}

func (r *stuckReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil {
		r.once.Do(func() { close(r.began) })
		<-r.free
	}
	return n, err
}

// An answer that is closed unread is a success if no more of it was needed, and not
// if the call has ended.
func TestAnswerThatIsClosedEarly(t *testing.T) {
	for name, test := range map[string]struct {
		cancel bool
		kind   string
	}{
		"needed no more": {false, ""},
		"cancelled":      {true, "canceled"},
	} {
		t.Run(name, func(t *testing.T) {
			tel := newTelemetry(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			client := tel.memory(t, mid.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
				return tripper(func(r *http.Request) (*http.Response, error) {
					resp, err := next.RoundTrip(r)
					if err != nil {
						return nil, err
					}
					if test.cancel {
						cancel()
					}
					return nil, errors.Join(resp.Body.Close(), errors.New("no more of it is needed"))
				})
			}))
			_, err := client.Authentication.GetSession(ctx, "sess_1", mid.WithoutRetry())
			require.Error(t, err)
			require.Equal(t, test.kind, attrs(tel.one(t, "GET /auth/sessions/{id}"))["error.type"])
		})
	}
}

// Middleware that was given before the options may have changed the path.
func TestPathThatMiddlewareHasChanged(t *testing.T) {
	for name, path := range map[string]string{
		"all of it":     "/people/ada@example.com",
		"after the end": "/v1/auth/sessions/sess_1/ada@example.com",
	} {
		t.Run(name, func(t *testing.T) {
			tel := newTelemetry(t)
			client := tel.memory(t, mid.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
				return tripper(func(r *http.Request) (*http.Response, error) {
					r = r.Clone(r.Context())
					r.URL.Path = path
					return next.RoundTrip(r)
				})
			}))
			_, err := client.Authentication.GetSession(t.Context(), "sess_1")
			require.NoError(t, err)
			require.Equal(t, "https://api.mobid.io/REDACTED", attrs(tel.one(t, "GET /auth/sessions/{id}"))["url.full"])
		})
	}
}

// A method that the conventions do not know is not in the span's name.
func TestUnknownMethod(t *testing.T) {
	tel := newTelemetry(t)
	_ = tel.memory(t).Call(t.Context(), "PURGE", "/people", nil, nil) // its answer is a session's
	require.Equal(t, "_OTHER", attrs(tel.one(t, "HTTP"))["http.request.method"])
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
