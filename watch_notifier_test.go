package mid_test

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

func TestWaitSubscribesBeforeItsFirstLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, approved := &story{}, false
		var c *mid.Client
		s.tell = func(time.Duration) (*http.Response, error) {
			if approved {
				return authAt("approved", 0, s.start)
			}
			approved = true // right after the server looked
			notify(t, c, "evt_1", "sess_1")
			return authAt("pending", 0, s.start)
		}
		c = (&api{handle: s.handle}).client(t)
		_, err := c.Authentication.WaitForSession(t.Context(), "sess_1", mid.PollOptions{MinInterval: time.Hour})
		require.NoError(t, err)
		require.Equal(t, []time.Duration{0, 0}, s.looks)
	})
}

type notifierStub struct {
	wake chan struct{}
	ctx  context.Context
}

func (*notifierStub) Notify(context.Context, string) error { return nil }

func (n *notifierStub) Subscribe(ctx context.Context, _ string) <-chan struct{} {
	n.ctx = ctx
	return n.wake
}

func TestWaitOutlivesItsNotifier(t *testing.T) {
	closed := make(chan struct{})
	close(closed)
	for name, wake := range map[string]chan struct{}{"closed": closed, "nil": nil} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &story{}
				s.tell = func(at time.Duration) (*http.Response, error) {
					if at < 30*time.Second {
						return authAt("pending", 0, s.start)
					}
					return authAt("approved", 0, s.start)
				}
				n := &notifierStub{wake: wake}
				c := (&api{handle: s.handle}).client(t, mid.WithWebhooks(mid.WebhookConfig{Notifier: n}))
				_, err := c.Authentication.WaitForSession(t.Context(), "sess_1", mid.PollOptions{})
				require.NoError(t, err)
				require.Less(t, len(s.looks), 20)
				require.ErrorIs(t, n.ctx.Err(), context.Canceled, "the subscription ends with the wait")
				require.NoError(t, t.Context().Err())
			})
		})
	}
}

func notify(t *testing.T, c *mid.Client, eventID, resourceID string) {
	t.Helper()
	payload := hookPayload(eventID, mid.EventAuthenticationCompleted, `{"id":"`+resourceID+`","status":"approved"}`)
	header := http.Header{mid.SignatureHeader: {c.Webhooks.Sign(payload)}}
	require.Equal(t, 204, c.Webhooks.Handle(t.Context(), payload, header, mid.EventHandlers{}).Status)
}

func TestWaitIsWokenByAnEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &story{}
		s.tell = func(at time.Duration) (*http.Response, error) {
			if at > 30*time.Second {
				return authAt("approved", 0, s.start)
			}
			return authAt("pending", 0, s.start)
		}
		c := (&api{handle: s.handle}).client(t)
		time.AfterFunc(20*time.Second, func() { notify(t, c, "evt_1", "sess_2") })
		time.AfterFunc(30*time.Second+1, func() { notify(t, c, "evt_2", "sess_1") })
		_, err := c.Authentication.WaitForSession(t.Context(), "sess_1", mid.PollOptions{MinInterval: time.Minute, MaxInterval: time.Minute})
		require.NoError(t, err)
		require.Equal(t, []time.Duration{0, 30*time.Second + 1}, s.looks)
	})
}

func TestPausesAfterAWakeAndAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &story{}
		s.tell = func(at time.Duration) (*http.Response, error) {
			switch {
			case at < 100*time.Second:
				return authAt("pending", 0, s.start)
			case at < 130*time.Second:
				return answer(429, problem("rate_limit_exceeded", "slow", `,"retry_after":40`)), nil
			case at < 200*time.Second:
				return answer(503, problem("service_unavailable", "down", `,"retry_after":50`)), nil
			}
			return authAt("approved", 0, s.start)
		}
		c := (&api{handle: s.handle}).client(t, mid.WithRetry(mid.RetryPolicy{}))
		time.AfterFunc(90*time.Second, func() { notify(t, c, "evt_1", "sess_1") })
		_, err := c.Authentication.WaitForSession(t.Context(), "sess_1", mid.PollOptions{MinInterval: 2 * time.Second, MaxInterval: 30 * time.Second})
		require.NoError(t, err)
		i := slices.Index(s.looks, 90*time.Second)
		require.Positive(t, i)
		require.LessOrEqual(t, s.looks[i+1]-s.looks[i], 2*time.Second)
		for i, at := range s.looks[:len(s.looks)-1] {
			if at >= 100*time.Second {
				require.GreaterOrEqual(t, s.looks[i+1]-at, 40*time.Second)
			}
			if at >= 130*time.Second {
				require.GreaterOrEqual(t, s.looks[i+1]-at, 50*time.Second)
			}
		}
	})
}
