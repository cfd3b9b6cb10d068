package mid

import (
	"context"
	"sync"
)

// Notifier wakes the waits of a session or a verification when its event
// arrives at a webhook. A client's webhooks and its Wait… and Watch… methods
// share one without any wiring; see [WebhookConfig.Notifier] for a receiver that
// is made apart and for several processes.
//
// A notifier is used by several goroutines at once. What it loses costs time
// only: a wait that is not woken looks at its next interval. Test one of your own
// with [github.com/mobid-io/mid-go/midtest.TestNotifier].
type Notifier interface {
	// Notify wakes the subscriptions of id, the id of the event's session or
	// verification. It is called for every delivery that verifies, when it
	// arrives: before the handler, and whatever the handler does. ctx has a
	// deadline of a second. An error is logged and changes nothing.
	Notify(ctx context.Context, id string) error
	// Subscribe returns a channel that receives after each Notify of id, from
	// its return until ctx ends. Several notifications may be received as one. A
	// subscription that does not receive must not hold up Notify, nor the others.
	// It must not block: a notifier on a network connects in the background. A
	// channel that is closed, or nil, wakes nothing.
	Subscribe(ctx context.Context, id string) <-chan struct{}
}

// NewNotifier returns a [Notifier] within the process, for a client and a
// receiver that are made apart:
//
//	notifier := mid.NewNotifier()
//	client, err := mid.NewClient(id, secret, mid.WithWebhooks(mid.WebhookConfig{Notifier: notifier}))
//	hooks, err := mid.NewWebhookService(mid.WebhookConfig{Secrets: secrets, Notifier: notifier})
func NewNotifier() Notifier {
	return &memoryNotifier{subscriptions: make(map[string]map[chan struct{}]struct{})}
}

// memoryNotifier is the Notifier of a single process.
type memoryNotifier struct {
	mu            sync.Mutex
	subscriptions map[string]map[chan struct{}]struct{} // by id
}

// Notify implements [Notifier].
func (n *memoryNotifier) Notify(_ context.Context, id string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	for wake := range n.subscriptions[id] {
		select {
		case wake <- struct{}{}:
		default: // it has one to receive already
		}
	}
	return nil
}

// Subscribe implements [Notifier].
func (n *memoryNotifier) Subscribe(ctx context.Context, id string) <-chan struct{} {
	wake := make(chan struct{}, 1)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.subscriptions[id] == nil {
		n.subscriptions[id] = make(map[chan struct{}]struct{})
	}
	n.subscriptions[id][wake] = struct{}{}
	context.AfterFunc(ctx, func() { n.unsubscribe(id, wake) })
	return wake
}

func (n *memoryNotifier) unsubscribe(id string, wake chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.subscriptions[id], wake)
	if len(n.subscriptions[id]) == 0 {
		delete(n.subscriptions, id)
	}
}
