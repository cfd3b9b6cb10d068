package midredis

import (
	"context"
	"crypto/rand"
	_ "embed" // for the scripts
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/mobid-io/mid-go"
)

var (
	//go:embed claim.lua
	claimScript string
	//go:embed done.lua
	doneScript string
	//go:embed release.lua
	releaseScript string
)

// retention is how long a handled event is remembered: twice a Tolerance of a
// day.
const retention = 48 * time.Hour

// EventStore is a [mid.EventStore] in Redis, made by [NewEventStore]. It is safe
// for concurrent use.
//
// A claim is a key that Redis deletes when the lease has passed, so it ends even
// if its process died. A handled event is remembered for 48 hours. While Redis
// fails, Claim returns an error, webhooks are answered 503, and MID delivers
// again.
//
// Redis may forget. A failover loses what was not replicated yet, a restart loses
// what was not persisted, and an eviction policy other than noeviction loses what
// Redis evicts. An event that is delivered again after that is handled again.
// [Fence] guards a handler's own writes.
type EventStore struct {
	link *link
}

var _ mid.EventStore = (*EventStore)(nil)

// NewEventStore returns a store of the account's events, which all processes
// share that name the same account. The account may be any string but the empty
// one, such as the client id. rdb stays the caller's to close. NewEventStore
// connects to nothing. The error is a [*mid.ValidationError].
func NewEventStore(rdb redis.UniversalClient, account string, opts ...Option) (*EventStore, error) {
	l, err := newLink("midredis.NewEventStore", rdb, account, opts)
	if err != nil {
		return nil, err
	}
	return &EventStore{link: l}, nil
}

// Claim implements [mid.EventStore]. It takes one round trip.
func (s *EventStore) Claim(ctx context.Context, id string, lease time.Duration) (mid.EventClaim, error) {
	key, nonce := s.link.key("event:"+id), rand.Text()
	fence, err := bounded(ctx, s.link, func(ctx context.Context) (int64, error) {
		keys := []string{key, s.link.key("fence")}
		return s.link.eval(ctx, claimScript, keys, nonce, milliseconds(lease)).Int64()
	}, func(fence int64) {
		if fence > 0 { // otherwise the event would wait for the lease to end
			_ = newClaim(s.link, key, fence, nonce).Release(context.WithoutCancel(ctx))
		}
	})
	switch {
	case err != nil:
		return nil, fmt.Errorf("mid: claiming the webhook event in Redis: %w", err)
	case fence == 0:
		return nil, mid.ErrEventHandled
	case fence < 0:
		return nil, mid.ErrEventInHand
	}
	return newClaim(s.link, key, fence, nonce), nil
}

// milliseconds is what Redis takes for a time to live: at least one.
func milliseconds(d time.Duration) int64 { return max(d.Milliseconds(), 1) }

// claim is one claim of an event.
type claim struct {
	link  *link
	key   string
	fence int64
	mark  string // what tells the claim from every other
}

func newClaim(l *link, key string, fence int64, nonce string) *claim {
	return &claim{link: l, key: key, fence: fence, mark: strconv.FormatInt(fence, 10) + " " + nonce}
}

// Context implements [mid.EventClaim].
func (c *claim) Context(ctx context.Context) (context.Context, error) {
	return context.WithValue(ctx, fenceKey{}, c.fence), nil
}

// Done implements [mid.EventClaim].
func (c *claim) Done(ctx context.Context) error {
	done, err := bounded(ctx, c.link, func(ctx context.Context) (bool, error) {
		return c.link.eval(ctx, doneScript, []string{c.key}, c.mark, retention.Milliseconds()).Bool()
	}, nil)
	switch {
	case err != nil:
		return fmt.Errorf("mid: marking the webhook event in Redis: %w", err)
	case !done:
		return mid.ErrClaimLost
	}
	return nil
}

// Release implements [mid.EventClaim].
func (c *claim) Release(ctx context.Context) error {
	_, err := bounded(ctx, c.link, func(ctx context.Context) (int64, error) {
		return c.link.eval(ctx, releaseScript, []string{c.key}, "held "+c.mark).Int64()
	}, nil)
	if err != nil {
		return fmt.Errorf("mid: releasing the webhook event in Redis: %w", err)
	}
	return nil
}

type fenceKey struct{}

// Fence is the fencing token of the claim that a handler runs with, or 0 if ctx is
// not that of a handler or the store is not of this package. Of two claims of one
// account the later has the greater token. A handler that stores it with what it
// writes, and writes nothing where a greater one is, stays safe from a process
// that hung past its lease and then went on.
func Fence(ctx context.Context) int64 {
	fence, _ := ctx.Value(fenceKey{}).(int64)
	return fence
}
