package mid_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// hookNotifier is a Notifier that calls a function.
type hookNotifier func(ctx context.Context, id string) error

func (f hookNotifier) Notify(ctx context.Context, id string) error     { return f(ctx, id) }
func (hookNotifier) Subscribe(context.Context, string) <-chan struct{} { return nil }

// An event that verified notifies before its handler runs, and whatever becomes
// of it.
func TestEveryVerifiedDeliveryNotifies(t *testing.T) {
	for name, tt := range map[string]struct {
		claim  func(context.Context) (mid.EventClaim, error)
		result error
		status int
		log    []string
	}{
		"handled": {nil, nil, 204, []string{"notify sess_1", "claim", "handler"}},
		"failed":  {nil, errors.New("try again"), 500, []string{"notify sess_1", "claim", "handler"}},
		"repeated": {func(context.Context) (mid.EventClaim, error) { return nil, mid.ErrEventHandled }, nil, 204,
			[]string{"notify sess_1", "claim"}},
		"in hand": {func(context.Context) (mid.EventClaim, error) { return nil, mid.ErrEventInHand }, nil, 503,
			[]string{"notify sess_1", "claim"}},
		"store down": {func(context.Context) (mid.EventClaim, error) { return nil, errors.New("down") }, nil, 503,
			[]string{"notify sess_1", "claim"}},
	} {
		t.Run(name, func(t *testing.T) {
			var log []string
			hooks := newHooks(t, mid.WebhookConfig{
				Notifier: hookNotifier(func(_ context.Context, id string) error {
					log = append(log, "notify "+id)
					return nil
				}),
				Store: claimStore(func(ctx context.Context, _ string, _ time.Duration) (mid.EventClaim, error) {
					log = append(log, "claim")
					if tt.claim != nil {
						return tt.claim(ctx)
					}
					return new(hookStore), nil
				}),
			})
			payload := hookPayload("evt_1", "moon.landed", `{"status":"approved","id":"sess_1"}`)
			reply := hooks.Handle(t.Context(), payload, hookHeader(payload), otherHook(func(context.Context, *mid.Event) error {
				log = append(log, "handler")
				return tt.result
			}))
			require.Equal(t, tt.status, reply.Status)
			require.Equal(t, tt.log, log)
		})
	}
}

// The waits of an event in another spelling wake too.
func TestEventsOfOtherSpellingsNotify(t *testing.T) {
	var notified []string
	hooks := newHooks(t, mid.WebhookConfig{Notifier: hookNotifier(func(_ context.Context, id string) error {
		notified = append(notified, id)
		return nil
	})})
	for _, data := range []string{`{"sessionId":"a"}`, `{"verification_id":"b"}`, `{"signatureRequestId":"c"}`} {
		payload := hookPayload("evt_"+data, "x", data)
		hooks.Handle(t.Context(), payload, hookHeader(payload), mid.EventHandlers{})
	}
	require.Equal(t, []string{"a", "b", "c"}, notified)
}

func TestForgedAndNamelessEventsNotifyNothing(t *testing.T) {
	hooks := newHooks(t, mid.WebhookConfig{Notifier: hookNotifier(func(context.Context, string) error {
		t.Error("notified")
		return nil
	})})
	for _, data := range []string{`null`, `[]`, `"sess_1"`, `{}`, `{"id":7}`} {
		payload := hookPayload("evt_"+data, "x", data)
		require.Equal(t, 204, hooks.Handle(t.Context(), payload, hookHeader(payload), mid.EventHandlers{}).Status)
	}
	payload := hookPayload("evt_1", "x", `{"id":"sess_1"}`)
	require.Equal(t, 401, hooks.Handle(t.Context(), payload, nil, mid.EventHandlers{}).Status)
}

// A sender that hung up has delivered all the same.
func TestNotifierOutlivesTheRequest(t *testing.T) {
	notified := false
	hooks := newHooks(t, mid.WebhookConfig{Notifier: hookNotifier(func(ctx context.Context, _ string) error {
		notified = ctx.Err() == nil
		return nil
	})})
	request, hangUp := context.WithCancel(t.Context())
	hangUp()
	payload := hookPayload("evt_1", "x", `{"id":"sess_1"}`)
	hooks.Handle(request, payload, hookHeader(payload), mid.EventHandlers{})
	require.True(t, notified)
}

// A notifier that panics costs no event.
func TestNotifierThatPanicsIsLogged(t *testing.T) {
	var logged bytes.Buffer
	hooks := newHooks(t, mid.WebhookConfig{
		Logger:   slog.New(slog.NewTextHandler(&logged, nil)),
		Notifier: hookNotifier(func(context.Context, string) error { panic("no map") }),
	})
	payload := hookPayload("evt_1", "x", `{"id":"sess_1"}`)
	require.Equal(t, 204, hooks.Handle(t.Context(), payload, hookHeader(payload), otherHook(succeed)).Status)
	require.Contains(t, logged.String(), `level=ERROR msg="mid: webhook" stack=`)
	require.Contains(t, logged.String(), `outcome="not notified" event.id=evt_1 event.type=x error="panic: no map"`)
}

// A notifier that is down or slow costs the event a second at most.
func TestNotifierThatFailsIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		hooks := newHooks(t, mid.WebhookConfig{
			Logger: slog.New(slog.NewTextHandler(&logged, nil)),
			Notifier: hookNotifier(func(ctx context.Context, _ string) error {
				<-ctx.Done()
				return errors.New("no notifier")
			}),
		})
		start := time.Now()
		payload := hookPayload("evt_1", "x", `{"id":"sess_1"}`)
		require.Equal(t, 204, hooks.Handle(t.Context(), payload, hookHeader(payload), mid.EventHandlers{}).Status)
		require.Equal(t, time.Second, time.Since(start))
		require.Contains(t, logged.String(), `level=WARN msg="mid: webhook" outcome="not notified" event.id=evt_1 event.type=x error="no notifier"`)
	})
}
