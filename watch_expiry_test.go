package mid_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// expiring is an answer with a pending session, of any kind, that expires at
// the given time.
func expiring(at time.Time) (*http.Response, error) {
	return answer(200, ok(fmt.Sprintf(`{"id":"sess_1","status":"pending","expires_at":%q}`, at.UTC().Format(time.RFC3339)))), nil
}

// The expiry of a signing session ends a wait too, after one last look.
func TestWaitEndsWithTheExpiryOfASigningSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &story{}
		s.tell = func(time.Duration) (*http.Response, error) { return expiring(s.start.Add(72 * time.Hour)) }
		c := (&api{handle: s.handle}).client(t)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Hour)
		defer cancel()
		got, err := c.Signing.WaitForSession(ctx, "sess_1", mid.PollOptions{MinInterval: time.Hour, MaxInterval: time.Hour})
		require.NoError(t, err)
		require.Equal(t, mid.SigningPending, got.Status, "the session as it is")
		require.InDelta(t, 72*3600, last(s.looks).Seconds(), 1.1)
	})
}

// The latest expiry that the server reported is the one that counts.
func TestWaitFollowsAnExpiryThatMoves(t *testing.T) {
	for name, moved := range map[string]time.Duration{"out": 20 * time.Minute, "in": 3 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &story{}
				s.tell = func(at time.Duration) (*http.Response, error) {
					if at < time.Minute {
						return expiring(s.start.Add(5 * time.Minute))
					}
					return expiring(s.start.Add(moved))
				}
				_, err := (&api{handle: s.handle}).client(t).Authentication.WaitForSession(t.Context(), "sess_1", mid.PollOptions{})
				require.NoError(t, err)
				require.InDelta(t, moved.Seconds(), last(s.looks).Seconds(), 1.1)
			})
		})
	}
}

// A failure that has passed is forgotten: it slows no later look, and is no
// part of the error when ctx ends the wait.
func TestWaitForgetsAFailureThatHasPassed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &story{}
		s.tell = func(at time.Duration) (*http.Response, error) {
			if at == 0 {
				return answer(503, problem("service_unavailable", "down", `,"retry_after":40`)), nil
			}
			return authAt("pending", 0, s.start)
		}
		c := (&api{handle: s.handle}).client(t, mid.WithRetry(mid.RetryPolicy{}))
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		_, err := c.Authentication.WaitForSession(ctx, "sess_1", mid.PollOptions{})
		require.EqualError(t, err, "mid: the wait ended: context deadline exceeded")
		require.NotErrorIs(t, err, mid.ErrServer)
		require.Equal(t, 40*time.Second, s.looks[1])
		for i := 2; i < len(s.looks); i++ {
			require.LessOrEqual(t, s.looks[i]-s.looks[i-1], 5*time.Second)
		}
	})
}

// refusingOnce is a limiter that refuses its first caller.
type refusingOnce struct {
	err   error
	waits []time.Time
}

func (l *refusingOnce) Wait(context.Context) error {
	l.waits = append(l.waits, time.Now())
	if len(l.waits) == 1 {
		return l.err
	}
	return nil
}

func (*refusingOnce) Observe(mid.RequestOutcome) {}

// What the client's own limiter asks to wait is waited for, as the server's
// word is.
func TestWaitHonoursTheLimitersRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &refusingOnce{err: &mid.RateLimitError{RetryAfter: time.Minute}}
		a := &api{handle: answers(status(200, ok(`{"id":"sess_1","status":"approved"}`)))}
		_, err := a.client(t, staticToken(), mid.WithLimiter(l)).Authentication.WaitForSession(t.Context(), "sess_1", mid.PollOptions{})
		require.NoError(t, err)
		require.Len(t, l.waits, 2)
		require.Equal(t, time.Minute, l.waits[1].Sub(l.waits[0]))
		require.Len(t, a.sent(), 1)
	})
}
