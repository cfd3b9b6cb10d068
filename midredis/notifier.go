package midredis

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/mobid-io/mid-go"
)

// gap is how long a subscription may take to begin before those who wait are
// woken to look for what they missed.
const gap = time.Second

// Notifier is a [mid.Notifier] on Redis' publish and subscribe, made by
// [NewNotifier]: a wait in one process is woken by a webhook that arrived at
// another. It is safe for concurrent use.
//
// Each process has one connection for it, and only while anything waits. When the
// connection breaks it is made again, and then everything that waits looks once.
// Within the process waits are woken even while Redis is gone.
type Notifier struct {
	link   *link
	origin string // tells what this notifier published
	local  mid.Notifier

	mu      sync.Mutex
	waiting map[string]int // subscriptions by id
	stop    context.CancelFunc
}

var _ mid.Notifier = (*Notifier)(nil)

// NewNotifier returns a notifier for the account, which all processes share that
// name the same account. The account may be any string but the empty one, such as
// the client id. rdb stays the caller's to close. NewNotifier connects to nothing.
// The error is a [*mid.ValidationError].
func NewNotifier(rdb redis.UniversalClient, account string, opts ...Option) (*Notifier, error) {
	l, err := newLink("midredis.NewNotifier", rdb, account, opts)
	if err != nil {
		return nil, err
	}
	return &Notifier{link: l, origin: rand.Text(), local: mid.NewNotifier(), waiting: make(map[string]int)}, nil
}

// channel is one for all ids: a subscription needs no command of its own.
func (n *Notifier) channel() string { return n.link.key("wake") }

// Notify implements [mid.Notifier].
func (n *Notifier) Notify(ctx context.Context, id string) error {
	if err := n.local.Notify(ctx, id); err != nil {
		return err
	}
	_, err := bounded(ctx, n.link, func(ctx context.Context) (int64, error) {
		return n.link.rdb.Publish(ctx, n.channel(), n.origin+" "+id).Result()
	}, nil)
	if err != nil {
		return fmt.Errorf("mid: notifying through Redis: %w", err)
	}
	return nil
}

// Subscribe implements [mid.Notifier].
func (n *Notifier) Subscribe(ctx context.Context, id string) <-chan struct{} {
	wake := n.local.Subscribe(ctx, id)
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.waiting) == 0 {
		var listening context.Context
		listening, n.stop = context.WithCancel(context.WithoutCancel(ctx))
		go n.listen(listening)
	}
	n.waiting[id]++
	context.AfterFunc(ctx, func() { n.leave(id) })
	return wake
}

// leave ends a subscription, and the last one ends the connection.
func (n *Notifier) leave(id string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.waiting[id]--; n.waiting[id] == 0 {
		delete(n.waiting, id)
	}
	if len(n.waiting) == 0 {
		n.stop()
	}
}

// listen passes on what is published until ctx ends.
func (n *Notifier) listen(ctx context.Context) {
	begun := time.Now()
	subscription := n.link.rdb.Subscribe(ctx, n.channel())
	defer func() { _ = subscription.Close() }()
	published := subscription.ChannelWithSubscriptions()
	for again := false; ; {
		select {
		case <-ctx.Done():
			return
		case message, open := <-published:
			if !open { // the Redis client was closed
				return
			}
			switch m := message.(type) {
			case *redis.Subscription:
				if again || time.Since(begun) > gap {
					n.wakeAll(ctx)
				}
				again = true
			case *redis.Message:
				if origin, id, ok := strings.Cut(m.Payload, " "); ok && origin != n.origin {
					_ = n.local.Notify(ctx, id) // within the process it can't fail
				}
			}
		}
	}
}

// wakeAll wakes all waits: while there was no connection, nothing arrived.
func (n *Notifier) wakeAll(ctx context.Context) {
	n.mu.Lock()
	ids := make([]string, 0, len(n.waiting))
	for id := range n.waiting {
		ids = append(ids, id)
	}
	n.mu.Unlock()
	for _, id := range ids {
		_ = n.local.Notify(ctx, id) // within the process it can't fail
	}
}
