package mid

import (
	"container/list"
	"context"
	"errors"
	"sync"
	"time"
)

// EventStore remembers which events were handled, so that an event that MID
// delivers twice is handled once. Receivers that run as several processes need
// one store that they share; without a [WebhookConfig.Store] each process
// remembers its own events, in memory.
//
// An id is an [Event.ID]: any string but the empty one. The methods are called
// concurrently, each with a ctx that outlives the request by a few seconds at
// most. An error of Claim or Done is answered with status 503, so that MID
// delivers the event again. A claim that was made though Claim failed, because
// the answer was lost, must be taken again or lapse soon: until then the event
// passes for one that is being handled.
type EventStore interface {
	// Claim reports whether the caller is now the one to handle the event. It
	// is false while another holds the claim and after Done. Of any number of
	// callers at the same moment one gets true. A shared store should let a
	// claim lapse some minutes after a handler can last, or the events of a
	// process that died would never be handled. True with an error is released
	// at once.
	Claim(ctx context.Context, id string) (bool, error)
	// Done keeps the id of a claimed event as handled, for at least as long
	// as MID may deliver it again: a day is plenty. It does nothing for an id
	// that it does not know.
	Done(ctx context.Context, id string) error
	// Release forgets the id, so that the next delivery can claim it. It does
	// nothing for an id that it does not know. After an error it is called once
	// more.
	Release(ctx context.Context, id string) error
}

// The default store's bounds: 3 MiB when it is full, which takes an event every
// five seconds for a day.
const (
	memoryStoreEntries = 16384
	memoryStoreAge     = 24 * time.Hour
)

var errStoreFull = errors.New("mid: the event store is full of events that are being handled")

// memoryStore is the EventStore of a single process. It has no goroutine of
// its own: every Claim drops what has grown too old.
type memoryStore struct {
	limit int
	age   time.Duration

	mu      sync.Mutex
	entries map[string]*list.Element
	// Both lists hold storedEvents, the one that changed longest ago first.
	// They are apart so that room is found among the handled ones alone.
	claimed, done list.List
}

type storedEvent struct {
	id    string
	since time.Time
	in    *list.List
}

func newMemoryStore(limit int, age time.Duration) *memoryStore {
	return &memoryStore{limit: limit, age: age, entries: make(map[string]*list.Element)}
}

func (m *memoryStore) Claim(_ context.Context, id string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	m.expire(&m.claimed, now)
	m.expire(&m.done, now)
	if _, known := m.entries[id]; known {
		return false, nil
	}
	if len(m.entries) >= m.limit {
		oldest := m.done.Front()
		if oldest == nil {
			return false, errStoreFull
		}
		m.remove(oldest)
	}
	m.add(&m.claimed, id, now)
	return true, nil
}

func (m *memoryStore) Done(_ context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e, known := m.entries[id]; known {
		m.remove(e)
		m.add(&m.done, id, time.Now())
	}
	return nil
}

func (m *memoryStore) Release(_ context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e, known := m.entries[id]; known {
		m.remove(e)
	}
	return nil
}

func (m *memoryStore) expire(in *list.List, now time.Time) {
	for e := in.Front(); e != nil && now.Sub(e.Value.(storedEvent).since) >= m.age; e = in.Front() {
		m.remove(e)
	}
}

func (m *memoryStore) add(to *list.List, id string, now time.Time) {
	m.entries[id] = to.PushBack(storedEvent{id: id, since: now, in: to})
}

func (m *memoryStore) remove(e *list.Element) {
	stored := e.Value.(storedEvent)
	stored.in.Remove(e)
	delete(m.entries, stored.id)
}
