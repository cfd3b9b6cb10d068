package midotel_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/oauth2"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

// A call is one span, below the application's, with its wire sends below it.
func TestCallThatIsRetried(t *testing.T) {
	srv := midtest.NewServer()
	defer srv.Close()
	srv.Inject(unavailable("/auth/sessions"))
	tel := newTelemetry(t)
	ctx, parent := tel.tracer.Start(t.Context(), "application")
	_, err := tel.client(srv, quick()).Authentication.CreateSession(ctx, login)
	require.NoError(t, err)

	call := tel.one(t, "auth.sessions.create")
	require.Equal(t, parent.SpanContext().SpanID(), call.Parent().SpanID())
	require.Equal(t, trace.SpanKindInternal, call.SpanKind())
	require.Equal(t, codes.Unset, call.Status().Code)
	require.Equal(t, "2", attrs(call)["mid.attempts"])
	sends := tel.named("POST /auth/sessions")
	require.Len(t, sends, 2)
	for _, s := range sends {
		require.Equal(t, call.SpanContext().SpanID(), s.Parent().SpanID())
	}
	require.Equal(t, []string{"mid.operation=auth.sessions.create: 1"}, tel.points(t, "mid.client.call.duration"))
	require.Equal(t, []string{"mid.operation=auth.sessions.create: 2 of 1"}, tel.points(t, "mid.client.call.attempts"))
	require.ElementsMatch(t, []string{"mid.operation=auth.sessions.create: 2", "mid.operation=token: 1"},
		tel.points(t, "mid.client.queue.duration"))
}

// The limiter holds the second request back, for a hundredth of a second.
func TestCallThatWaitsInTheQueue(t *testing.T) {
	srv := midtest.NewServer()
	defer srv.Close()
	tel := newTelemetry(t)
	client := tel.client(srv, mid.WithPlan(mid.Plan{RequestsPerMinute: 6000, Burst: 2}))
	for range 3 { // the token takes a place too
		_, err := client.Authentication.CreateSession(t.Context(), login)
		require.NoError(t, err)
	}
	waited := 0.0
	for _, call := range tel.named("auth.sessions.create") {
		seconds, err := strconv.ParseFloat(attrs(call)["mid.queue_time"], 64)
		require.NoError(t, err)
		waited += seconds
	}
	require.Greater(t, waited, 0.005)
}

func TestCallThatFails(t *testing.T) {
	for _, test := range []struct {
		name, kind string
		fault      midtest.Fault
		opts       []mid.Option
		requestID  bool
	}{
		{"by its answer", "403", midtest.Fault{Status: http.StatusForbidden}, nil, true},
		{"for the rate limit", "429", midtest.Fault{Status: http.StatusTooManyRequests, Times: 9}, []mid.Option{mid.WithRetry(mid.RetryPolicy{})}, true},
		{"by its connection", "network", midtest.Fault{DropConnection: true, Times: 9}, []mid.Option{mid.WithRetry(mid.RetryPolicy{})}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			srv := midtest.NewServer()
			defer srv.Close()
			test.fault.Method, test.fault.Path = http.MethodPost, "/auth/sessions"
			srv.Inject(test.fault)
			tel := newTelemetry(t)
			_, err := tel.client(srv, test.opts...).Authentication.CreateSession(t.Context(), login)
			require.Error(t, err)
			call := tel.one(t, "auth.sessions.create")
			require.Equal(t, codes.Error, call.Status().Code)
			require.Equal(t, test.kind, attrs(call)["error.type"])
			require.Equal(t, test.requestID, attrs(call)["mid.request_id"] != "")
			require.Equal(t, []string{"error.type=" + test.kind + " mid.operation=auth.sessions.create: 1"}, tel.points(t, "mid.client.call.duration"))
		})
	}
}

func TestCallThatIsCancelled(t *testing.T) {
	srv := midtest.NewServer()
	defer srv.Close()
	tel := newTelemetry(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := tel.client(srv).Authentication.GetSession(ctx, "sess_1")
	require.ErrorIs(t, err, context.Canceled)
	call := tel.one(t, "auth.sessions.get")
	require.Equal(t, "canceled", attrs(call)["error.type"])
	require.Equal(t, "0", attrs(call)["mid.attempts"])
}

// An attempt that was left behind, and is sent after the next one, does not count
// backwards.
func TestAttemptThatComesLate(t *testing.T) {
	srv := midtest.NewServer()
	defer srv.Close()
	tel := newTelemetry(t)
	second, late := make(chan struct{}), make(chan struct{})
	client := srv.Client(append([]mid.Option{quick(), mid.WithAttemptTimeout(300 * time.Millisecond),
		mid.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
			return tripper(func(r *http.Request) (*http.Response, error) {
				switch op, _ := mid.OperationFrom(r.Context()); {
				case op.Name == "token":
				case op.Attempt == 1:
					defer close(late)
					<-second
				default:
					defer func() {
						close(second)
						<-late
					}()
				}
				return next.RoundTrip(r)
			})
		})}, tel.ClientOptions()...)...)
	_, err := client.Signing.UploadDocument(t.Context(), mid.UploadSigningDocumentParams{
		File: mid.FileFromBytes("contract.pdf", append([]byte("%PDF-1.7"), make([]byte, 1<<20)...))})
	require.NoError(t, err)
	require.Equal(t, "2", attrs(tel.one(t, "signing.documents.upload"))["mid.attempts"])
	require.Len(t, tel.named("POST /signing/documents"), 2)
}

// strange is an error that names a type of its own, with a person in it.
type strange struct{ error }

func (strange) ErrorType() string { return "ada@example.com" }

// The types of errors are a closed list, whatever the application's errors are.
func TestErrorsOfTheApplication(t *testing.T) {
	for _, test := range []struct {
		err         error
		token, call string
	}{
		{strange{errors.New("ada@example.com")}, "_OTHER", "network"},
		{os.ErrDeadlineExceeded, "timeout", "timeout"},
		{&mid.RateLimitError{}, "rate_limited", "rate_limited"},
		{&net.OpError{Op: "dial", Err: errors.New("refused")}, "network", "network"},
		{&mid.APIError{StatusCode: http.StatusServiceUnavailable}, "503", "503"},
		{&mid.APIError{StatusCode: http.StatusOK}, "_OTHER", "_OTHER"},
	} {
		t.Run(fmt.Sprintf("%T is %s", test.err, test.token), func(t *testing.T) {
			tel := newTelemetry(t)
			client := tel.memory(t, mid.WithTokenSource(failing{test.err}))
			_, err := client.Authentication.GetSession(t.Context(), "sess_1", mid.WithoutRetry())
			require.Error(t, err)
			require.Equal(t, test.token, attrs(tel.one(t, "token"))["error.type"])
			require.Equal(t, test.call, attrs(tel.one(t, "auth.sessions.get"))["error.type"])
			require.NotContains(t, dump(t, tel.spans.Ended()), "ada@example.com")
		})
	}
}

// A request id is the server's text. What does not look like an id is not recorded.
func TestRequestIDOfTheServer(t *testing.T) {
	for id, recorded := range map[string]string{
		"req_1-a":                      "req_1-a",
		"Ada Example, ada@example.com": "",
		strings.Repeat("a", 129):       "",
	} {
		tel := newTelemetry(t)
		refused := &mid.APIError{StatusCode: http.StatusForbidden, RequestID: id}
		client := tel.memory(t, mid.WithTokenSource(failing{refused}))
		_, err := client.Authentication.GetSession(t.Context(), "sess_1", mid.WithoutRetry())
		require.Error(t, err)
		require.Equal(t, recorded, attrs(tel.one(t, "token"))["mid.request_id"])
	}
}

// Middleware that returns nothing at all is a failure.
func TestSendThatReturnsNothing(t *testing.T) {
	tel := newTelemetry(t)
	client, err := mid.NewClient("id", "secret", append(append(inMemory(), tel.ClientOptions()...),
		mid.WithMiddleware(func(http.RoundTripper) http.RoundTripper {
			return tripper(func(*http.Request) (*http.Response, error) { return nil, nil }) //nolint:nilnil // on purpose
		}))...)
	require.NoError(t, err)
	_, err = client.Authentication.GetSession(t.Context(), "sess_1", mid.WithoutRetry())
	require.Error(t, err)
	require.Equal(t, "_OTHER", attrs(tel.one(t, "GET /auth/sessions/{id}"))["error.type"])
}

// failing is a token source that fails.
type failing struct{ err error }

func (f failing) Token(context.Context) (*oauth2.Token, error) { return nil, f.err }
