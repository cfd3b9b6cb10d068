package midtest

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mobid-io/mid-go"
)

var storeFaults = map[string]planted{
	"a store that forgets":                   {faultyStore, "Done is remembered", "the event is handled after Done"},
	"a store that forgets with the lease":    {faultyStore, "Done is remembered", "an event stays handled when the lease of its claim has passed"},
	"a store that takes in hand for handled": {faultyStore, "one claim of an event at a time", `want "mid: webhook event is being handled by another delivery"`},
	"a store that ignores claims":            {faultyStore, "one claim of an event at a time", "a claim of the event lives"},
	"a store that looks before it claims":    {faultyStore, "one of many claims wins", "of 16 callers at a time got the claim of one event, want 1"},
	"a store that never lets lapse":          {faultyStore, "a claim lapses with its lease", "a claim whose holder died ends with its lease"},
	"a store whose Done is not fenced":       {faultyStore, "a lapsed claim settles nothing", "another may have the event in hand"},
	"a store whose Release is not fenced":    {faultyStore, "a lapsed claim settles nothing", "Release of a lapsed claim leaves its successor's untouched"},
	"a store whose Release undoes Done":      {faultyStore, "Release after Done does nothing", "Release does nothing after Done"},
	"a store whose Release fails twice":      {faultyStore, "Release settles its own claim only", "when it is called once more"},
	"a store that is done after Release":     {faultyStore, "Done after Release marks nothing", "the claim is given back"},
	"a store that waits":                     {faultyStore, "one claim of an event at a time", "it should not wait for another's claim to end"},
	"a store without values":                 {faultyStore, "Context is usable until Done", "lacks the values of ctx"},
	"a store that ends the ctx":              {faultyStore, "Context is usable until Done", "has ended with \"context canceled\" before Done"},
	"a store whose ctx never ends":           {faultyStore, "Context is usable until Done", "has not ended with ctx"},
	"a store whose Done lies":                {faultyStore, "Done is true after the request has ended", "Done returned no error"},
	"a store that waits for an ended ctx":    {faultyStore, "Claim returns when its ctx has ended", "Claim has not returned"},
	"a store that refuses quotes":            {faultyStore, "an id is any string", "an id is any string but the empty one"},
	"a store that ignores case":              {faultyStore, "ids are kept apart", "it is another event than those with a similar id"},
	"a store that cuts ids":                  {faultyStore, "ids are kept apart", "it is another event than those with a similar id"},
}

func faultyStore(t *testing.T, mistake string) {
	t.Helper()
	TestEventStore(t, func(*testing.T) mid.EventStore {
		return &plantedStore{mistake: mistake, events: make(map[string]*plantedClaim)}
	})
}

// plantedStore is an EventStore with one mistake, or without if it is "".
type plantedStore struct {
	mistake string
	mu      sync.Mutex
	events  map[string]*plantedClaim
}

type plantedClaim struct {
	store   *plantedStore
	key     string
	expires time.Time
	handled bool
	over    bool // released
	request context.Context
}

func (s *plantedStore) has(mistake string) bool { return s.mistake == "a store "+mistake }

func (s *plantedStore) key(id string) string {
	switch {
	case s.has("that ignores case"):
		return strings.ToLower(id)
	case s.has("that cuts ids"):
		return id[:min(len(id), 255)]
	}
	return id
}

func (s *plantedStore) Claim(ctx context.Context, id string, lease time.Duration) (mid.EventClaim, error) {
	if s.has("that refuses quotes") && strings.Contains(id, `"`) {
		return nil, context.Canceled
	}
	if s.has("that waits for an ended ctx") && ctx.Err() != nil {
		time.Sleep(2 * patience)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key, now := s.key(id), time.Now()
	if c := s.events[key]; c != nil && !c.over {
		switch {
		case c.handled && s.has("that forgets with the lease") && !now.Before(c.expires):
		case c.handled:
			return nil, mid.ErrEventHandled
		case s.has("that takes in hand for handled"):
			return nil, mid.ErrEventHandled
		case s.has("that waits"):
			s.mu.Unlock()
			time.Sleep(2 * patience)
			s.mu.Lock()
		case s.has("that ignores claims"):
		case now.Before(c.expires), s.has("that never lets lapse"):
			return nil, mid.ErrEventInHand
		}
	}
	if s.has("that looks before it claims") {
		s.mu.Unlock()
		time.Sleep(50 * time.Millisecond)
		s.mu.Lock()
	}
	c := &plantedClaim{store: s, key: key, expires: now.Add(lease)}
	s.events[key] = c
	return c, nil
}

func (c *plantedClaim) Context(ctx context.Context) (context.Context, error) {
	c.request = ctx
	switch s := c.store; {
	case s.has("without values"):
		return context.Background(), nil
	case s.has("that ends the ctx"):
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		return ctx, nil
	case s.has("whose ctx never ends"):
		return context.WithoutCancel(ctx), nil
	}
	return ctx, nil
}

func (c *plantedClaim) Done(context.Context) error {
	s := c.store
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.has("that forgets"):
		c.over = true
		return nil
	case s.has("whose Done lies") && c.request != nil && c.request.Err() != nil:
		return nil
	case s.has("that is done after Release") && c.over:
		return nil
	case s.has("whose Done is not fenced"):
		s.events[c.key].handled = true
		return nil
	case s.events[c.key] != c, c.over, !time.Now().Before(c.expires):
		return mid.ErrClaimLost
	}
	c.handled = true
	return nil
}

func (c *plantedClaim) Release(context.Context) error {
	s := c.store
	s.mu.Lock()
	defer s.mu.Unlock()
	current := s.events[c.key]
	switch {
	case s.has("whose Release is not fenced") && current != nil && !current.handled, s.has("whose Release undoes Done"):
		delete(s.events, c.key)
	case c.over && s.has("whose Release fails twice"):
		return mid.ErrClaimLost
	case !c.handled:
		c.over = true
	}
	return nil
}
