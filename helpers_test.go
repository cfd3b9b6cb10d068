package mid_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

const (
	testID     = "client-under-test"
	testSecret = "s3cr3t-of-the-test"
)

// api is a server in memory: a round tripper that works inside a synctest
// bubble. It answers token requests by itself and everything else by handle.
type api struct {
	handle func(r *http.Request) (*http.Response, error)
	token  func(n int) (*http.Response, error) // nil: token-1, token-2, … good for an hour

	mu     sync.Mutex
	calls  []sent
	tokens int
}

// sent is one request as it came in.
type sent struct {
	Method, Path, Query string
	Header              http.Header
	Body                string
	At                  time.Time
}

func (a *api) RoundTrip(r *http.Request) (*http.Response, error) {
	s := sent{Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery, Header: r.Header.Clone(), At: time.Now()}
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil {
			return nil, err
		}
		s.Body = string(body)
	}
	if strings.HasSuffix(r.URL.Path, "/auth/token") {
		a.mu.Lock()
		a.tokens++
		n := a.tokens
		a.mu.Unlock()
		if a.token != nil {
			return a.token(n)
		}
		return tokenAnswer(n, time.Hour), nil
	}
	a.mu.Lock()
	a.calls = append(a.calls, s)
	a.mu.Unlock()
	return a.handle(r)
}

// sent returns the requests so far, token requests left out.
func (a *api) sent() []sent {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]sent(nil), a.calls...)
}

func (a *api) tokenRequests() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.tokens
}

// client returns a client of the API in memory.
func (a *api) client(t testing.TB, opts ...mid.Option) *mid.Client {
	t.Helper()
	c, err := mid.NewClient(testID, testSecret, append([]mid.Option{mid.WithHTTPClient(&http.Client{Transport: a})}, opts...)...)
	require.NoError(t, err)
	return c
}

// answers makes a handle that gives one answer after the other, the last one
// for ever.
func answers(list ...func() (*http.Response, error)) func(*http.Request) (*http.Response, error) {
	var mu sync.Mutex
	n := 0
	return func(*http.Request) (*http.Response, error) {
		mu.Lock()
		defer mu.Unlock()
		next := list[min(n, len(list)-1)]
		n++
		return next()
	}
}

// status makes an answer; header is a list of names and values.
func status(code int, body string, header ...string) func() (*http.Response, error) {
	return func() (*http.Response, error) { return answer(code, body, header...), nil }
}

// failed makes a send that fails.
func failed(err error) func() (*http.Response, error) {
	return func() (*http.Response, error) { return nil, err }
}

func answer(code int, body string, header ...string) *http.Response {
	h := http.Header{"Content-Type": {"application/json"}, "Date": {time.Now().UTC().Format(http.TimeFormat)}}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{
		StatusCode: code, Status: strconv.Itoa(code),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: h, Body: io.NopCloser(bytes.NewReader([]byte(body))), ContentLength: int64(len(body)),
	}
}

func tokenAnswer(n int, life time.Duration) *http.Response {
	return answer(200, ok(fmt.Sprintf(`{"access_token":"token-%d","token_type":"Bearer","expires_in":%d}`, n, int(life.Seconds()))))
}

// ok wraps data in a success envelope.
func ok(data string) string {
	return `{"success":true,"data":` + data + `,"meta":{"request_id":"req_1","timestamp":"` + time.Now().UTC().Format(time.RFC3339) + `"}}`
}

// problem is an error envelope; more is added to the error object, like
// `,"retry_after":2`.
func problem(code, message, more string) string {
	return `{"success":false,"error":{"code":"` + code + `","message":"` + message + `"` + more + `},"meta":{"request_id":"req_2","timestamp":"2026-01-02T03:04:05Z"}}`
}

const pendingSession = `{"id":"sess_1","status":"pending","intent":"login","qr_code":"data:image/png;base64,","qr_data":"mid://auth?session=sess_1","created_at":"2026-01-02T03:04:05Z","expires_at":"2026-01-02T03:09:05Z"}`

type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func last[T any](list []T) T { return list[len(list)-1] }

func readCloser(text string) io.ReadCloser { return io.NopCloser(strings.NewReader(text)) }

func copyAll(w io.Writer, r io.ReadCloser) (int64, error) {
	defer r.Close()
	return io.Copy(w, r)
}
