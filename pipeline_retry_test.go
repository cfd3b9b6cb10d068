package mid_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
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
