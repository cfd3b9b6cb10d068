package mid

import (
	"context"
	"sync"
)

// Notifier wakes the waits of a session or a verification when its event arrives
// at a webhook. Within one client, its webhooks and its Wait… and Watch… methods
// share one by default. See [WebhookConfig.Notifier] for a receiver without a
// client and for several processes.
//
// A notification that is lost only costs time, because a wait looks at its next
// interval anyway. Implementations are safe for concurrent use. Test one of your
// own with [github.com/mobid-io/mid-go/midtest.TestNotifier].
type Notifier interface {
	// Notify wakes the subscriptions of id, which is the id of the event's session
	// or verification. It is called once for every delivery that verifies, before
	// the handler runs. ctx has a deadline of a second. An error is logged and
	// changes nothing.
	Notify(ctx context.Context, id string) error
	// Subscribe returns a channel on which a value arrives after each Notify of
	// id, until ctx ends. Several notifications may arrive as one value. A
	// subscriber that does not receive must hold up neither Notify nor the other
	// subscribers. Subscribe must not block, so a notifier on a network connects
	// in the background. A channel that is closed, or nil, wakes nothing.
	Subscribe(ctx context.Context, id string) <-chan struct{}
}

// NewNotifier returns a [Notifier] within the process. It is for a client and a
// receiver that is made without it:
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
