package midsql

import (
	"context"
	"sync"
	"time"

	"github.com/mobid-io/mid-go"
)

// inHand holds the events that this process has in hand. It answers at once and
// without a connection, where all of them may be in use by claims.
type inHand struct {
	mu     sync.Mutex
	events map[string]holding
}

type holding struct {
	lapse time.Time
	gone  chan struct{} // closed when the transaction has ended
}

// enter takes an event until leave is called. It waits only for a claim that
// has lapsed and is being rolled back.
func (h *inHand) enter(ctx context.Context, key string, lapse time.Time) (leave func(), err error) {
	for {
		own := holding{lapse, make(chan struct{})}
		other, taken := h.put(key, own)
		switch {
		case !taken:
			return sync.OnceFunc(func() { h.remove(key, own) }), nil
		case time.Now().Before(other.lapse):
			return nil, mid.ErrEventInHand
		}
		select {
		case <-other.gone:
		case <-ctx.Done():
			return nil, mid.ErrEventInHand
		}
	}
}

func (h *inHand) put(key string, own holding) (other holding, taken bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if other, taken = h.events[key]; !taken {
		h.events[key] = own
	}
	return other, taken
}

func (h *inHand) remove(key string, own holding) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.events, key)
	close(own.gone)
}
