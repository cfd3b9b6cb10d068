package midtest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/mobid-io/mid-go"
)

const notReceived = "a subscription has not received, but each of an id receives after Notify"

var notifierFaults = map[string]planted{
	"a notifier that wakes none":               {faultyNotifier, "a notification reaches the subscriptions of its id", notReceived},
	"a notifier that keeps one subscription":   {faultyNotifier, "a notification reaches the subscriptions of its id", notReceived},
	"a notifier that wakes everyone":           {faultyNotifier, "a notification wakes no other id", "received the notification of another id"},
	"a notifier that needs a subscription":     {faultyNotifier, "Notify needs no subscription", "Notify returned the error"},
	"a notifier that blocks in Subscribe":      {faultyNotifier, "Subscribe does not block", "Subscribe has not returned"},
	"a notifier that blocks in Notify":         {faultyNotifier, "a slow receiver holds up neither Notify nor the others", "Notify has not returned"},
	"a notifier that drops what is not waited": {faultyNotifier, "a slow receiver holds up neither Notify nor the others", "has not received"},
	"a notifier that outlives its ctx":         {faultyNotifier, "a subscription ends with its ctx", "a subscription still receives"},
	"a notifier that leaks goroutines":         {faultyNotifier, "an ended subscription leaves no goroutine", "goroutines are left of 200 subscriptions"},
}

func faultyNotifier(t *testing.T, mistake string) {
	t.Helper()
	TestNotifier(t, func(*testing.T) mid.Notifier {
		return &plantedNotifier{mistake: mistake, Notifier: mid.NewNotifier()}
	})
}

// plantedNotifier is a Notifier with one mistake, or without if it is "".
type plantedNotifier struct {
	mistake string
	mid.Notifier
	mu   sync.Mutex
	only map[string]chan struct{} // by id, for mistakes that need it
}

func (n *plantedNotifier) has(mistake string) bool { return n.mistake == "a notifier that "+mistake }

func (n *plantedNotifier) Subscribe(ctx context.Context, id string) <-chan struct{} {
	switch {
	case n.has("blocks in Subscribe"):
		time.Sleep(2 * patience)
	case n.has("wakes everyone"):
		id = ""
	case n.has("outlives its ctx"):
		ctx = context.WithoutCancel(ctx)
	case n.has("leaks goroutines"):
		go func() { select {} }()
	case n.has("keeps one subscription"), n.has("blocks in Notify"), n.has("drops what is not waited"):
		n.mu.Lock()
		defer n.mu.Unlock()
		if n.only == nil {
			n.only = make(map[string]chan struct{})
		}
		if n.has("keeps one subscription") || n.only[id] == nil {
			n.only[id] = make(chan struct{}, 1)
			if n.has("drops what is not waited") {
				n.only[id] = make(chan struct{})
			}
		}
		return n.only[id]
	}
	return n.Notifier.Subscribe(ctx, id)
}

func (n *plantedNotifier) Notify(ctx context.Context, id string) error {
	n.mu.Lock()
	only := n.only[id]
	n.mu.Unlock()
	switch {
	case n.has("wakes none"):
		return nil
	case n.has("needs a subscription"):
		return errors.New("no such subscription")
	case n.has("wakes everyone"):
		id = ""
	case n.has("blocks in Notify"):
		only <- struct{}{}
		return nil
	case only != nil:
		select {
		case only <- struct{}{}:
		default:
		}
		return nil
	}
	return n.Notifier.Notify(ctx, id)
}
