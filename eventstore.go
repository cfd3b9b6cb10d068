package mid

import (
	"container/list"
	"context"
	"errors"
	"sync"
	"time"
)

// The errors of an [EventStore].
var (
	// ErrEventHandled says that the event was handled before. It is answered
	// with status 204.
	ErrEventHandled = errors.New("mid: webhook event is handled already")
	// ErrEventInHand says that another delivery of the event is being handled.
	// It is answered with status 503 and a Retry-After of a lease.
	ErrEventInHand = errors.New("mid: webhook event is being handled by another delivery")
	// ErrClaimLost says that the lease of a claim had passed before the handler
	// was done. It is answered with status 503 and a Retry-After of a lease.
	ErrClaimLost = errors.New("mid: webhook event's claim has lapsed")
)

// EventStore remembers which events were handled, so that an event that MID
// delivers twice is handled once. Receivers that run as several processes need
// one store that they share. Without a [WebhookConfig.Store] each process
// remembers its own events, in memory.
//
// If the process that holds a claim dies, the claim ends with its lease at the
// latest. MID then delivers the event again, because its delivery was not answered
// 2xx.
//
// Implementations are safe for concurrent use. Test one of your own with
// [github.com/mobid-io/mid-go/midtest.TestEventStore].
type EventStore interface {
	// Claim makes the caller the one that handles the event, until lease has
	// passed since the call. Of several callers at the same time, one gets the
	// claim. The error is [ErrEventHandled] after Done, [ErrEventInHand] while
	// another caller's claim lives, and otherwise the store's own, which is
	// answered with status 503. Claim should not wait for another claim to end.
	//
	// id is an [Event.ID], any string but the empty one. Ids that differ in
	// anything, such as in case or in a space at the end, are different events.
	// lease is more than zero. ctx lives until the claim is settled, so a
	// transaction may begin in it. It ends early if Claim takes longer than 5
	// seconds or the lease. A claim that is returned with an error is released.
	Claim(ctx context.Context, id string, lease time.Duration) (EventClaim, error)
}

// EventClaim is the right to handle one event. It settles only itself: after its
// lease, another delivery may hold a claim of the same event, which must stay
// untouched. The ctx of Done and Release does not end with the request, but has a
// deadline of 5 seconds.
type EventClaim interface {
	// Context returns the context that the handler runs with: ctx, or a child of
	// it that carries something of the store's, such as a transaction. ctx ends
	// with the lease or with the request, and otherwise lives until Done or
	// Release returns. After an error the claim is released, and the answer is
	// status 503.
	Context(ctx context.Context) (context.Context, error)
	// Done marks the event as handled, for at least twice
	// [WebhookConfig.Tolerance]. If the lease has passed, Done must not mark it,
	// even if no other delivery has claimed it since, and returns [ErrClaimLost].
	// After any error the answer is status 503, and the claim is left to lapse.
	Done(ctx context.Context) error
	// Release lets the next delivery claim the event. It does nothing after Done,
	// after the lease, or when it is called again. It is called again, once,
	// after an error.
	Release(ctx context.Context) error
}

// The default store's bounds: 15 MiB when it is full.
const (
	memoryStoreEntries = 1 << 16
	memoryStoreAge     = 24 * time.Hour
)

var errStoreFull = errors.New("mid: the event store is full of events that it must not forget yet")

// memoryStore is the EventStore of a single process. It has no goroutine of its
// own: every Claim drops the entries that are too old.
type memoryStore struct {
	limit int           // of entries
	least time.Duration // how long a handled event is remembered in any case
	most  time.Duration // how long it is remembered if there is room

	mu      sync.Mutex
	entries map[string]*list.Element
	// Both lists hold *memoryClaims, the one that ends first in front. There are
	// two, so that room is made among the handled events only.
	claimed, done list.List
}

func newMemoryStore(limit int, least, most time.Duration) *memoryStore {
	return &memoryStore{limit: limit, least: least, most: max(least, most), entries: make(map[string]*list.Element)}
}

// memoryClaim is a claim and, once it is settled by Done, the handled event.
type memoryClaim struct {
	store   *memoryStore
	id      string
	expires time.Time // the end of the lease
	handled time.Time // zero before Done
}

// Claim implements [EventStore].
func (m *memoryStore) Claim(_ context.Context, id string, lease time.Duration) (EventClaim, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	m.forget(now)
	if e, known := m.entries[id]; known {
		switch c := e.Value.(*memoryClaim); {
		case !c.handled.IsZero():
			return nil, ErrEventHandled
		case now.Before(c.expires):
			return nil, ErrEventInHand
		}
		m.remove(e)
	}
	if len(m.entries) >= m.limit && !m.makeRoom(now) {
		return nil, errStoreFull
	}
	c := &memoryClaim{store: m, id: id, expires: now.Add(lease)}
	m.entries[id] = m.claimed.PushBack(c)
	return c, nil
}

// forget drops lapsed claims and events that were handled long ago.
func (m *memoryStore) forget(now time.Time) {
	for e := m.claimed.Front(); e != nil && !now.Before(e.Value.(*memoryClaim).expires); e = m.claimed.Front() {
		m.remove(e)
	}
	for e := m.done.Front(); e != nil && now.Sub(e.Value.(*memoryClaim).handled) >= m.most; e = m.done.Front() {
		m.remove(e)
	}
}

// makeRoom forgets the event that was handled longest ago, if that is long
// enough.
func (m *memoryStore) makeRoom(now time.Time) bool {
	oldest := m.done.Front()
	if oldest == nil || now.Sub(oldest.Value.(*memoryClaim).handled) < m.least {
		return false
	}
	m.remove(oldest)
	return true
}

func (m *memoryStore) remove(e *list.Element) {
	c := e.Value.(*memoryClaim)
	if c.handled.IsZero() {
		m.claimed.Remove(e)
	} else {
		m.done.Remove(e)
	}
	delete(m.entries, c.id)
}

// Context implements [EventClaim].
func (c *memoryClaim) Context(ctx context.Context) (context.Context, error) { return ctx, nil }

// Done implements [EventClaim].
func (c *memoryClaim) Done(context.Context) error {
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	now := time.Now()
	e := c.held()
	switch {
	case e == nil || !now.Before(c.expires):
		return ErrClaimLost
	case c.handled.IsZero():
		c.store.claimed.Remove(e)
		c.handled = now
		c.store.entries[c.id] = c.store.done.PushBack(c)
	}
	return nil
}

// Release implements [EventClaim].
func (c *memoryClaim) Release(context.Context) error {
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	if e := c.held(); e != nil && c.handled.IsZero() {
		c.store.remove(e)
	}
	return nil
}

// held returns the claim's entry, or nil if the store has dropped it.
func (c *memoryClaim) held() *list.Element {
	if e := c.store.entries[c.id]; e != nil && e.Value == c {
		return e
	}
	return nil
}
