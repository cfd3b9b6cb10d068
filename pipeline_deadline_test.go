package mid_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

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

// When the ctx has ended, the error is ctx's, whatever the transport makes of
// it.
func TestEndedCtxIsTheError(t *testing.T) {
	for name, want := range map[string]error{"cancelled": context.Canceled, "timed out": context.DeadlineExceeded} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
				defer cancel()
				if want == context.Canceled {
					time.AfterFunc(time.Second, cancel)
				}
				a := &api{handle: func(r *http.Request) (*http.Response, error) {
					<-r.Context().Done()
					return nil, errors.New("use of closed network connection")
				}}
				require.ErrorIs(t, look(ctx, a.client(t, staticToken())), want)
				require.Len(t, a.sent(), 1)
			})
		})
	}
}

// A backoff that would outlive the ctx is not begun: the connection's error is
// worth more than ctx's later.
func TestBackoffPastTheDeadlineIsNotBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
		defer cancel()
		a := &api{handle: answers(failed(errors.New("connection reset")))}
		policy := mid.RetryPolicy{MaxRetries: 3, MinWait: time.Hour, MaxWait: time.Hour}
		start := time.Now()
		err := look(ctx, a.client(t, staticToken(), mid.WithRetry(policy)))
		require.Zero(t, time.Since(start))
		require.ErrorContains(t, err, "connection reset")
		require.NotErrorIs(t, err, context.DeadlineExceeded)
		require.Len(t, a.sent(), 1)
	})
}

// Nor is a wait that would end with the ctx: no request could follow it.
func TestWaitThatEndsWithCtxIsNotBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 6*time.Second)
		defer cancel()
		a := &api{handle: answers(status(503, problem("service_unavailable", "later", `,"retry_after":6`)))}
		start := time.Now()
		err := look(ctx, a.client(t, staticToken()))
		require.Zero(t, time.Since(start))
		require.ErrorIs(t, err, mid.ErrServer)
		require.NotErrorIs(t, err, context.DeadlineExceeded)
	})
}
