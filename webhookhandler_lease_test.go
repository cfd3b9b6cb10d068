package mid_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// claimStore gives out its claims by a function.
type claimStore func(ctx context.Context, id string, lease time.Duration) (mid.EventClaim, error)

func (f claimStore) Claim(ctx context.Context, id string, lease time.Duration) (mid.EventClaim, error) {
	return f(ctx, id, lease)
}

func handleHook(t *testing.T, hooks *mid.WebhookService, h mid.EventHandlers) mid.Reply {
	t.Helper()
	payload := hookPayload("evt_1", "x", "{}")
	return hooks.Handle(t.Context(), payload, hookHeader(payload), h)
}

func succeed(context.Context, *mid.Event) error { return nil }

func TestStoreGetsTheLease(t *testing.T) {
	for set, want := range map[time.Duration]time.Duration{0: time.Minute, time.Second: time.Second} {
		var got time.Duration
		store := claimStore(func(_ context.Context, _ string, lease time.Duration) (mid.EventClaim, error) {
			got = lease
			return new(hookStore), nil
		})
		require.Equal(t, 204, handleHook(t, newHooks(t, mid.WebhookConfig{Lease: set, Store: store}), mid.EventHandlers{}).Status)
		require.Equal(t, want, got)
	}
}

// The lease counts from before the claim, however slow the store is.
func TestHandlersContextEndsWithTheLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := claimStore(func(context.Context, string, time.Duration) (mid.EventClaim, error) {
			time.Sleep(4 * time.Second)
			return new(hookStore), nil
		})
		start := time.Now()
		reply := handleHook(t, newHooks(t, mid.WebhookConfig{Lease: 10 * time.Second, Store: store}), otherHook(func(ctx context.Context, _ *mid.Event) error {
			deadline, ok := ctx.Deadline()
			require.True(t, ok)
			require.Equal(t, 10*time.Second, deadline.Sub(start))
			<-ctx.Done()
			return ctx.Err()
		}))
		require.Equal(t, 500, reply.Status)
		require.Equal(t, 10*time.Second, time.Since(start))
	})
}

// A transaction that begins in Claim's context, or in the handler's, lives
// until the claim is settled, and no longer.
func TestContextsLiveUntilTheClaimIsSettled(t *testing.T) {
	for name, result := range map[string]error{"done": nil, "release": errors.New("try again")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var claims, handlers context.Context
				settled := false
				claim := &hookStore{settle: func(context.Context) error {
					require.NoError(t, claims.Err())
					require.NoError(t, handlers.Err())
					settled = true
					return nil
				}}
				store := claimStore(func(ctx context.Context, _ string, _ time.Duration) (mid.EventClaim, error) {
					claims = ctx
					return claim, nil
				})
				handleHook(t, newHooks(t, mid.WebhookConfig{Store: store}), otherHook(func(ctx context.Context, _ *mid.Event) error {
					time.Sleep(30 * time.Second) // longer than a call of the store may take
					require.NoError(t, claims.Err())
					handlers = ctx
					return result
				}))
				require.True(t, settled)
				require.Error(t, claims.Err())
				require.Error(t, handlers.Err())
			})
		})
	}
}

// A sender that hangs up does not end the transaction that its event is written in.
func TestClaimsContextOutlivesTheRequest(t *testing.T) {
	var claims context.Context
	claim := &hookStore{settle: func(context.Context) error {
		require.NoError(t, claims.Err())
		return nil
	}}
	store := claimStore(func(ctx context.Context, _ string, _ time.Duration) (mid.EventClaim, error) {
		claims = ctx
		return claim, nil
	})
	request, hangUp := context.WithCancel(t.Context())
	payload := hookPayload("evt_1", "x", "{}")
	reply := newHooks(t, mid.WebhookConfig{Store: store}).Handle(request, payload, hookHeader(payload), otherHook(func(context.Context, *mid.Event) error {
		hangUp()
		return nil
	}))
	require.Equal(t, 204, reply.Status)
	require.Equal(t, []string{"done"}, claim.calls)
	require.Error(t, claims.Err())
}

// The claim's own context is the handler's.
func TestHandlerRunsWithTheClaimsContext(t *testing.T) {
	store := &hookStore{begin: func(ctx context.Context) (context.Context, error) {
		return context.WithValue(ctx, hookContextKey{}, "transaction"), nil
	}}
	ran := false
	handleHook(t, newHooks(t, mid.WebhookConfig{Store: store}), otherHook(func(ctx context.Context, _ *mid.Event) error {
		ran = true
		require.Equal(t, "transaction", ctx.Value(hookContextKey{}))
		_, leased := ctx.Deadline()
		require.True(t, leased)
		return nil
	}))
	require.True(t, ran)
}

// A claim that came too late is released, and its handler does not run.
func TestLateClaimIsReleased(t *testing.T) {
	for name, cfg := range map[string]mid.WebhookConfig{
		"than a call may take": {Lease: time.Minute},
		"than the lease":       {Lease: time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				claim, start := new(hookStore), time.Now()
				cfg.Store = claimStore(func(ctx context.Context, _ string, _ time.Duration) (mid.EventClaim, error) {
					<-ctx.Done()
					return claim, nil
				})
				reply := handleHook(t, newHooks(t, cfg), otherHook(func(context.Context, *mid.Event) error {
					t.Error("the handler ran")
					return nil
				}))
				require.Equal(t, 503, reply.Status)
				require.Equal(t, []string{"release"}, claim.calls)
				require.Equal(t, min(cfg.Lease, 5*time.Second), time.Since(start))
			})
		})
	}
}

// While a claim lives, redeliveries are refused. When it has lapsed the next
// delivery handles the event, and the first settles nothing any more.
func TestLapsedClaimSettlesNothing(t *testing.T) {
	for name, result := range map[string]error{"done": nil, "release": errors.New("too late")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hooks := newHooks(t, mid.WebhookConfig{Tolerance: time.Hour})
				first := make(chan mid.Reply)
				go func() {
					first <- handleHook(t, hooks, otherHook(func(context.Context, *mid.Event) error {
						time.Sleep(90 * time.Second) // and does not care for its ctx
						return result
					}))
				}()
				time.Sleep(59 * time.Second)
				reply := handleHook(t, hooks, otherHook(succeed))
				require.Equal(t, 503, reply.Status)
				require.Equal(t, time.Minute, reply.RetryAfter)
				require.Equal(t, "another delivery of the event is being handled", reply.Reason)

				time.Sleep(2 * time.Second)
				release := make(chan struct{})
				second := make(chan mid.Reply)
				go func() {
					second <- handleHook(t, hooks, otherHook(func(context.Context, *mid.Event) error {
						<-release
						return nil
					}))
				}()
				reply = <-first
				if result == nil {
					require.Equal(t, mid.Reply{Status: 503, RetryAfter: time.Minute, Reason: "the event's handler took too long"}, reply)
				} else {
					require.Equal(t, 500, reply.Status)
				}
				require.Equal(t, 503, handleHook(t, hooks, otherHook(succeed)).Status, "the second claim still lives")
				close(release)
				require.Equal(t, 204, (<-second).Status)
				require.Equal(t, mid.Reply{Status: 204}, handleHook(t, hooks, otherHook(func(context.Context, *mid.Event) error {
					t.Error("a handled event ran again")
					return nil
				})))
			})
		})
	}
}

// Retry-After is in whole seconds, and only where another try makes sense later.
func TestRetryAfterHeader(t *testing.T) {
	for lease, want := range map[time.Duration]string{0: "60", 1500 * time.Millisecond: "2", time.Millisecond: "1"} {
		store := &hookStore{claim: func(context.Context) (mid.EventClaim, error) { return nil, mid.ErrEventInHand }}
		h := newHooks(t, mid.WebhookConfig{Lease: lease, Store: store}).Handler(mid.EventHandlers{})
		w := deliverHook(h, hookRequest(hookPayload("evt_1", "x", "{}")))
		require.Equal(t, 503, w.Code)
		require.Equal(t, want, w.Header().Get("Retry-After"))
	}
	down := &hookStore{claim: func(context.Context) (mid.EventClaim, error) { return nil, errors.New("down") }}
	w := deliverHook(newHooks(t, mid.WebhookConfig{Store: down}).Handler(mid.EventHandlers{}), hookRequest(hookPayload("evt_1", "x", "{}")))
	require.Equal(t, 503, w.Code)
	require.NotContains(t, w.Header(), "Retry-After")
	require.Equal(t, "the event store failed\n", w.Body.String(), "the store's own error is not the sender's business")
}

// A handler that ends its goroutine is answered like one that fails.
func TestHandlerThatEndsItsGoroutineIsAnswered(t *testing.T) {
	h := newHooks(t, mid.WebhookConfig{}).Handler(otherHook(func(context.Context, *mid.Event) error {
		runtime.Goexit()
		return nil
	}))
	server := httptest.NewServer(h)
	defer server.Close()
	payload := hookPayload("evt_1", "x", "{}")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, bytes.NewReader(payload))
	require.NoError(t, err)
	r.Header = hookHeader(payload)
	res, err := server.Client().Do(r)
	require.NoError(t, err)
	res.Body.Close()
	require.Equal(t, 500, res.StatusCode)
}
