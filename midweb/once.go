package midweb

import (
	"context"
	"sync"
	"time"

	"github.com/mobid-io/mid-go"
)

// onceHere is the store of sites without one: it holds within the process.
// It remembers a sign-in for as long as its cookie may come.
type onceHere struct {
	mu   sync.Mutex
	byID map[string]*claimHere
}

type claimHere struct {
	store *onceHere
	id    string
	until time.Time // the claim lapses, or the id is forgotten
	done  bool
}

func (o *onceHere) Claim(_ context.Context, id string, lease time.Duration) (mid.EventClaim, error) {
	now := time.Now()
	o.mu.Lock()
	defer o.mu.Unlock()
	for id, c := range o.byID {
		if now.After(c.until) {
			delete(o.byID, id)
		}
	}
	if c := o.byID[id]; c != nil && c.done {
		return nil, mid.ErrEventHandled
	} else if c != nil {
		return nil, mid.ErrEventInHand
	}
	c := &claimHere{store: o, id: id, until: now.Add(lease)}
	if o.byID == nil {
		o.byID = make(map[string]*claimHere)
	}
	o.byID[id] = c
	return c, nil
}

func (c *claimHere) Context(ctx context.Context) (context.Context, error) { return ctx, nil }

func (c *claimHere) Done(context.Context) error {
	now := time.Now()
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	if c.store.byID[c.id] != c || now.After(c.until) {
		return mid.ErrClaimLost
	}
	c.done, c.until = true, now.Add(maxLife+grace)
	return nil
}

func (c *claimHere) Release(context.Context) error {
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	if c.store.byID[c.id] == c && !c.done {
		delete(c.store.byID, c.id)
	}
	return nil
}
