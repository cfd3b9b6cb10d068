package mid_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

func TestRetriedStatuses(t *testing.T) {
	for code, want := range map[int]int{
		408: 4, 425: 4, 429: 4, 500: 4, 502: 4, 503: 4, 504: 4,
		400: 1, 403: 1, 404: 1, 409: 1, 413: 1, 415: 1, 422: 1, 501: 1, 505: 1,
	} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &api{handle: answers(status(code, problem("some_code", "some message", "")))}
				c := a.client(t)
				var r mid.Response
				err := look(t.Context(), c, mid.WithResponse(&r))
				apiErr, ok := errors.AsType[*mid.APIError](err)
				require.True(t, ok, "%v", err)
				require.Len(t, a.sent(), want)
				// The last response is never lost.
				require.Equal(t, code, apiErr.StatusCode)
				require.Equal(t, mid.ErrorCode("some_code"), apiErr.Code)
				require.Equal(t, "some message", apiErr.Message)
				require.Equal(t, "req_2", apiErr.RequestID)
				require.Equal(t, want, apiErr.Attempts)
				require.Equal(t, want, r.Attempts)
				require.Equal(t, code, r.StatusCode)
			})
		})
	}
}

func TestMaxRetriesZeroMeansOneRequest(t *testing.T) {
	a := &api{handle: answers(status(503, problem("service_unavailable", "later", "")))}
	require.ErrorIs(t, look(t.Context(), a.client(t, mid.WithRetry(mid.RetryPolicy{}))), mid.ErrServer)
	require.Len(t, a.sent(), 1)

	b := &api{handle: answers(status(503, problem("service_unavailable", "later", "")))}
	require.ErrorIs(t, look(t.Context(), b.client(t), mid.WithoutRetry()), mid.ErrServer)
	require.Len(t, b.sent(), 1)
}

// On a kept connection that turns out dead net/http sends a GET, or a POST
// with an Idempotency-Key, again by itself. The SDK keeps it from that.
func TestDeadConnectionIsNotUsedBehindTheSDKsBack(t *testing.T) {
	var served atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/auth/token") {
			_, _ = io.WriteString(w, `{"access_token":"token-1"}`)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		if served.Add(1)%2 == 0 {
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, ok(pendingSession))
	}))
	defer srv.Close()
	c, err := mid.NewClient(testID, testSecret, mid.WithBaseURL(srv.URL+"/v1"), mid.WithRetry(mid.RetryPolicy{}))
	require.NoError(t, err)

	require.NoError(t, look(t.Context(), c))
	require.Error(t, look(t.Context(), c))
	require.EqualValues(t, 2, served.Load(), "a GET was sent again")

	create := func() error {
		_, err := c.Authentication.CreateSession(t.Context(), mid.CreateAuthSessionParams{Intent: mid.IntentLogin})
		return err
	}
	require.NoError(t, create())
	require.Error(t, create())
	require.EqualValues(t, 4, served.Load(), "a POST was sent again")
}

func TestConnectionErrorsAreRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &api{handle: answers(failed(errors.New("connection reset")), failed(io.ErrUnexpectedEOF), status(200, ok(pendingSession)))}
		require.NoError(t, look(t.Context(), a.client(t)))
		require.Len(t, a.sent(), 3)

		down := &api{handle: answers(failed(errors.New("connection refused")))}
		err := look(t.Context(), down.client(t))
		require.EqualError(t, err, "mid: GET /auth/sessions/sess_1: connection refused after 4 attempts")
		require.Len(t, down.sent(), 4)
	})
}

func TestCertificateErrorsAreNotRetried(t *testing.T) {
	for _, cause := range []error{
		&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}},
		x509.UnknownAuthorityError{},
		x509.HostnameError{Certificate: new(x509.Certificate), Host: "api.example.com"},
		x509.CertificateInvalidError{Cert: new(x509.Certificate), Reason: x509.Expired},
		&net.OpError{Op: "remote error", Err: errors.New("tls: certificate required")},
		&net.OpError{Op: "local error", Err: errors.New("tls: protocol version not supported")},
		http.ErrSchemeMismatch,
		tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"},
	} {
		a := &api{handle: answers(failed(cause))}
		err := look(t.Context(), a.client(t))
		require.ErrorContains(t, err, strings.TrimSpace(cause.Error()))
		require.Len(t, a.sent(), 1, "%T", cause)
	}
}

// A body that was cut off is retried like a dropped connection.
func TestTruncatedAnswerIsRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cut := func() (*http.Response, error) {
			resp := answer(200, "")
			resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"success":true`), failingReader{io.ErrUnexpectedEOF}))
			return resp, nil
		}
		a := &api{handle: answers(cut, status(200, ok(pendingSession)))}
		require.NoError(t, look(t.Context(), a.client(t)))
		require.Len(t, a.sent(), 2)
	})
}

type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error) { return 0, r.err }

// The waits are anything up to MinWait, doubled each time, up to MaxWait.
func TestBackoffIsExponentialWithFullJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const ms = time.Millisecond
		bounds := []time.Duration{100 * ms, 200 * ms, 400 * ms, 800 * ms, 1000 * ms, 1000 * ms}
		lowest, highest := make([]time.Duration, len(bounds)), make([]time.Duration, len(bounds))
		for i := range lowest {
			lowest[i] = time.Hour
		}
		for range 300 {
			a := &api{handle: answers(status(503, problem("service_unavailable", "later", "")))}
			c := a.client(t, mid.WithRetry(mid.RetryPolicy{MaxRetries: len(bounds), MinWait: 100 * time.Millisecond, MaxWait: time.Second}))
			require.Error(t, look(t.Context(), c))
			calls := a.sent()
			for i := range bounds {
				wait := calls[i+1].At.Sub(calls[i].At)
				lowest[i], highest[i] = min(lowest[i], wait), max(highest[i], wait)
			}
		}
		for i, bound := range bounds {
			require.LessOrEqual(t, highest[i], bound)
			require.Greater(t, highest[i], bound*8/10, "wait %d", i)
			require.Less(t, lowest[i], bound*2/10, "wait %d", i)
		}
	})
}

// No attempt is made before the time that the server asked to wait.
func TestRetryAfterIsHonoured(t *testing.T) {
	unix := func(d time.Duration) string { return fmt.Sprint(time.Now().Add(d).Unix()) }
	date := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(http.TimeFormat) }
	for name, test := range map[string]struct {
		first func() (*http.Response, error)
		want  time.Duration
	}{
		"body wins": {func() (*http.Response, error) {
			return answer(429, problem("rate_limit_exceeded", "slow down", `,"retry_after":7`), "Retry-After", "30"), nil
		}, 7 * time.Second},
		"Retry-After in seconds": {func() (*http.Response, error) {
			return answer(503, "down", "Retry-After", "11"), nil
		}, 11 * time.Second},
		"Retry-After as a date": {func() (*http.Response, error) {
			return answer(503, "down", "Retry-After", date(13*time.Second)), nil
		}, 13 * time.Second},
		"Retry-After as a date of a clock ahead": {func() (*http.Response, error) {
			return answer(503, "down", "Retry-After", date(time.Hour+13*time.Second), "Date", date(time.Hour)), nil
		}, 13 * time.Second},
		"reset of a clock behind": {func() (*http.Response, error) {
			return answer(429, "slow", "X-RateLimit-Limit", "60", "X-RateLimit-Remaining", "0",
				"X-RateLimit-Reset", unix(-time.Hour+17*time.Second), "Date", date(-time.Hour)), nil
		}, 17 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &api{handle: answers(test.first, status(200, ok(pendingSession)))}
				require.NoError(t, look(t.Context(), a.client(t)))
				calls := a.sent()
				require.Len(t, calls, 2)
				wait := calls[1].At.Sub(calls[0].At)
				require.GreaterOrEqual(t, wait, test.want)
				require.Less(t, wait, test.want+2*time.Second)
			})
		})
	}
}

// A 5xx has rate limit headers too; their Reset is no reason to wait.
func TestResetIsNoRetryAfterOfA500(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &api{handle: answers(
			status(500, "oops", "X-RateLimit-Limit", "60", "X-RateLimit-Remaining", "50", "X-RateLimit-Reset", "4102444800"),
			status(200, ok(pendingSession)))}
		start := time.Now()
		require.NoError(t, look(t.Context(), a.client(t)))
		require.LessOrEqual(t, time.Since(start), 500*time.Millisecond)
	})
}

func TestTooLongARetryAfterFailsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limited := problem("rate_limit_exceeded", "slow down", `,"retry_after":3600`)
		a := &api{handle: answers(status(429, limited, "X-RateLimit-Limit", "60", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "4102444800"))}
		start := time.Now()
		err := look(t.Context(), a.client(t))
		require.Zero(t, time.Since(start))
		require.Len(t, a.sent(), 1)
		limitErr, ok := errors.AsType[*mid.RateLimitError](err)
		require.True(t, ok)
		require.Equal(t, time.Hour, limitErr.RetryAfter)
		require.Equal(t, mid.RateLimit{Limit: 60, Reset: time.Unix(4102444800, 0)}, limitErr.RateLimit)
		require.ErrorIs(t, err, mid.ErrRateLimited)
		apiErr, ok := errors.AsType[*mid.APIError](err)
		require.True(t, ok)
		require.Equal(t, "req_2", apiErr.RequestID)

		down := &api{handle: answers(status(503, problem("service_unavailable", "later", `,"retry_after":3600`)))}
		err = look(t.Context(), down.client(t))
		require.Zero(t, time.Since(start))
		_, ok = errors.AsType[*mid.RateLimitError](err)
		require.False(t, ok)
		apiErr, ok = errors.AsType[*mid.APIError](err)
		require.True(t, ok)
		require.Equal(t, time.Hour, apiErr.RetryAfter)
	})
}

// A wait past the ctx's deadline is not begun: the answer is worth more than
// a context error later.
func TestRetryAfterPastTheDeadlineFailsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		a := &api{handle: answers(status(429, problem("rate_limit_exceeded", "slow down", `,"retry_after":6`)))}
		start := time.Now()
		err := look(ctx, a.client(t))
		require.ErrorIs(t, err, mid.ErrRateLimited)
		require.Zero(t, time.Since(start))

		down := &api{handle: answers(status(503, problem("service_unavailable", "later", `,"retry_after":6`)))}
		require.ErrorIs(t, look(ctx, down.client(t)), mid.ErrServer)
		require.Zero(t, time.Since(start))
	})
}

func TestSpentRetriesOnA429AreARateLimitError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &api{handle: answers(status(429, problem("rate_limit_exceeded", "slow down", `,"retry_after":1`)))}
		err := look(t.Context(), a.client(t, mid.WithRetry(mid.RetryPolicy{MaxRetries: 1})))
		limitErr, ok := errors.AsType[*mid.RateLimitError](err)
		require.True(t, ok)
		require.Equal(t, time.Second, limitErr.RetryAfter)
		apiErr, ok := errors.AsType[*mid.APIError](err)
		require.True(t, ok)
		require.Equal(t, 2, apiErr.Attempts)
	})
}

// The caller's ctx stops everything at once, in backoff too, and what was
// answered before is in the error.
func TestCancelInBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		a := &api{handle: answers(status(503, problem("service_unavailable", "down for a while", `,"retry_after":60`)))}
		c := a.client(t)
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		var r mid.Response
		err := look(ctx, c, mid.WithResponse(&r))
		require.Equal(t, time.Second, time.Since(start))
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, mid.ErrServer)
		require.ErrorContains(t, err, "down for a while")
		require.ErrorContains(t, err, "req_2")
		require.Equal(t, 1, r.Attempts)
	})
}

func TestCancelInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		a := &api{handle: hang}
		time.AfterFunc(time.Second, cancel)
		require.ErrorIs(t, look(ctx, a.client(t)), context.Canceled)
		require.Len(t, a.sent(), 1)
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, look(ended, a.client(t)), context.Canceled)
	})
}

func hang(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// An attempt without progress is retried; the limiter's time and the time of
// other attempts do not count.
func TestAttemptTimeoutIsRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		a := &api{handle: func(r *http.Request) (*http.Response, error) {
			if n++; n < 3 {
				return hang(r)
			}
			return session(r)
		}}
		start := time.Now()
		require.NoError(t, look(t.Context(), a.client(t, mid.WithAttemptTimeout(10*time.Second))))
		require.GreaterOrEqual(t, time.Since(start), 20*time.Second)
		require.Less(t, time.Since(start), 23*time.Second)

		stuck := &api{handle: hang}
		err := look(t.Context(), stuck.client(t, mid.WithAttemptTimeout(10*time.Second)))
		require.ErrorContains(t, err, "no progress for 10s")
		require.ErrorContains(t, err, "after 4 attempts")
		require.NotErrorIs(t, err, context.Canceled)
	})
}

// A long upload, and a long answer, live as long as their bytes move.
func TestProgressKeepsAnAttemptAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slowAnswer := func(r *http.Request) (*http.Response, error) {
			resp := answer(200, "")
			resp.Body = io.NopCloser(&slowReader{text: ok(pendingSession), ctx: r.Context()})
			return resp, nil
		}
		a := &api{handle: slowAnswer}
		start := time.Now()
		require.NoError(t, look(t.Context(), a.client(t, mid.WithAttemptTimeout(10*time.Second))))
		require.Greater(t, time.Since(start), time.Minute)

		b := &api{handle: func(r *http.Request) (*http.Response, error) {
			if err := r.Context().Err(); err != nil {
				return nil, err // given up while the body was read
			}
			return answer(201, ok(`{"id":"doc_1","name":"a.pdf"}`)), nil
		}}
		start = time.Now()
		_, err := b.client(t, mid.WithAttemptTimeout(10*time.Second)).Signing.UploadDocument(t.Context(), mid.UploadSigningDocumentParams{
			File: mid.FileFromReader("a.pdf", &slowReader{text: strings.Repeat("x", 100)}),
		})
		require.NoError(t, err)
		require.Greater(t, time.Since(start), time.Minute)
		require.Len(t, b.sent(), 1)
	})
}

// slowReader gives a byte every nine seconds, and the rest after ten of them.
type slowReader struct {
	text string
	n    int
	ctx  context.Context // of the request, for an answer
}

func (r *slowReader) Read(p []byte) (int, error) {
	if r.text == "" {
		return 0, io.EOF
	}
	if r.n++; r.n <= 10 {
		time.Sleep(9 * time.Second)
		if r.ctx != nil && r.ctx.Err() != nil {
			return 0, r.ctx.Err()
		}
		p = p[:1]
	}
	n := copy(p, r.text)
	r.text = r.text[n:]
	return n, nil
}

// Middleware that adds to the header, and a caller's own header map, see each
// attempt afresh.
func TestAttemptsDoNotShareTheHeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &api{handle: answers(status(503, "x"), status(503, "x"), status(200, ok(pendingSession)))}
		c := a.client(t, mid.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
			return tripper(func(r *http.Request) (*http.Response, error) {
				r.Header.Add("X-Trace", "one")
				return next.RoundTrip(r)
			})
		}))
		require.NoError(t, look(t.Context(), c, mid.WithHeader("X-Mine", "yes")))
		for _, s := range a.sent() {
			require.Equal(t, []string{"one"}, s.Header["X-Trace"])
			require.Equal(t, []string{"yes"}, s.Header["X-Mine"])
		}
	})
}

// closing counts how often somebody closes idle connections.
type closing struct {
	http.RoundTripper
	closed atomic.Int32
}

func (c *closing) CloseIdleConnections() { c.closed.Add(1) }

// One caller's failure or cancellation never closes the idle connections of
// the others.
func TestFailuresLeaveIdleConnectionsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, handle := range map[string]func(*http.Request) (*http.Response, error){
			"failure": answers(failed(errors.New("reset"))),
			"server":  answers(status(500, "x")),
			"hang":    hang,
		} {
			a := &api{handle: handle}
			transport := &closing{RoundTripper: a}
			c, err := mid.NewClient(testID, testSecret, mid.WithHTTPClient(&http.Client{Transport: transport}))
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			require.Error(t, look(ctx, c))
			cancel()
			require.Zero(t, transport.closed.Load(), name)
		}
	})
}

// The user's http.Client is honoured, its Timeout included, and never changed.
func TestTheUsersClientIsHonoured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &api{handle: hang}
		own := &http.Client{Transport: a, Timeout: 2 * time.Second}
		before := *own
		c, err := mid.NewClient(testID, testSecret, mid.WithHTTPClient(own), mid.WithRetry(mid.RetryPolicy{}))
		require.NoError(t, err)
		start := time.Now()
		require.ErrorIs(t, look(t.Context(), c), context.DeadlineExceeded)
		require.Equal(t, 2*time.Second, time.Since(start))
		require.Equal(t, before.Timeout, own.Timeout)
		require.Nil(t, own.CheckRedirect)
		require.Same(t, a, own.Transport)
	})
}

// A plain reader is sent once and never retried after its first byte; a file
// that can be read again is, byte for byte.
func TestUploadReplay(t *testing.T) {
	content := bytes.Repeat([]byte("%PDF-1.7 "), 1000)
	upload := func(t *testing.T, a *api, f mid.File) error {
		_, err := a.client(t).Signing.UploadDocument(t.Context(), mid.UploadSigningDocumentParams{File: f})
		return err
	}
	stored := status(201, ok(`{"id":"doc_1","name":"a.pdf"}`))
	synctest.Test(t, func(t *testing.T) {
		a := &api{handle: answers(status(503, "x"), status(401, "x"), stored)}
		require.NoError(t, upload(t, a, mid.FileFromBytes("a.pdf", content)))
		calls := a.sent()
		require.Len(t, calls, 3)
		require.Contains(t, calls[0].Body, string(content))
		require.Equal(t, calls[0].Body, calls[1].Body)
		require.Equal(t, calls[0].Body, calls[2].Body)

		once := &api{handle: answers(status(503, problem("service_unavailable", "later", "")), stored)}
		require.ErrorIs(t, upload(t, once, mid.FileFromReader("a.pdf", io.MultiReader(bytes.NewReader(content)))), mid.ErrServer)
		require.Len(t, once.sent(), 1)

		refused := &api{handle: answers(status(401, problem("unauthorized", "revoked", "")), stored)}
		require.ErrorIs(t, upload(t, refused, mid.FileFromReader("a.pdf", io.MultiReader(bytes.NewReader(content)))), mid.ErrUnauthorized)
		require.Len(t, refused.sent(), 1)
	})
}

func TestMiddlewareOrderAndReach(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	note := func(name string) func(http.RoundTripper) http.RoundTripper {
		return func(next http.RoundTripper) http.RoundTripper {
			return tripper(func(r *http.Request) (*http.Response, error) {
				mu.Lock()
				seen = append(seen, name+" "+r.URL.Path)
				mu.Unlock()
				return next.RoundTrip(r)
			})
		}
	}
	a := &api{handle: session}
	require.NoError(t, look(t.Context(), a.client(t, mid.WithMiddleware(note("outer")), mid.WithMiddleware(note("inner")))))
	require.Equal(t, []string{
		"outer /v1/auth/token", "inner /v1/auth/token",
		"outer /v1/auth/sessions/sess_1", "inner /v1/auth/sessions/sess_1",
	}, seen)
}

func TestMiddlewareThatReturnsNothing(t *testing.T) {
	a := &api{handle: session}
	c := a.client(t, mid.WithRetry(mid.RetryPolicy{}), mid.WithMiddleware(func(http.RoundTripper) http.RoundTripper {
		return tripper(func(*http.Request) (*http.Response, error) { return nil, nil })
	}))
	require.ErrorContains(t, look(t.Context(), c), "neither a response nor an error")
}
