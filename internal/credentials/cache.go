package credentials

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"
)

const (
	// A token is renewed when a quarter of its life is left, but not earlier
	// than renewAhead before its end.
	renewAhead = 5 * time.Minute
	// It is not used in the last tenth of its life, or the last spare: it
	// would expire on its way.
	spare = 10 * time.Second
	// After an early renewal failed, the next is tried after a tenth of the
	// time left, but at least renewPause.
	renewPause = time.Second
)

// Fetch gets a new token; it is not nil unless there is an error.
type Fetch = func(ctx context.Context) (*oauth2.Token, error)

// Cache keeps one token for all callers.
type Cache struct {
	// Patience is how long a fetch may take. One that does not end then, with
	// its context, is left behind.
	Patience time.Duration

	current atomic.Pointer[entry]

	mu     sync.Mutex
	flight *flight // the fetch under way, nil if none
}

// entry is a token with the times that follow from its expiry; they are zero
// for a token that does not expire.
type entry struct {
	token *oauth2.Token
	renew atomic.Pointer[time.Time] // renew in the background from here on; nil: don't
	stale time.Time                 // do not use from here on
}

// flight is one fetch; token and err are set when done is closed.
type flight struct {
	done  chan struct{}
	token *oauth2.Token
	err   error
}

func newEntry(t *oauth2.Token, now time.Time) *entry {
	e := &entry{token: t}
	if !t.Expiry.IsZero() {
		life := t.Expiry.Sub(now)
		renew := t.Expiry.Add(-min(renewAhead, life/4))
		e.renew.Store(&renew)
		e.stale = t.Expiry.Add(-min(spare, life/10))
	}
	return e
}

func (e *entry) usable(now time.Time) bool {
	return e != nil && (e.stale.IsZero() || now.Before(e.stale))
}

// due reports, to one caller alone, that the token is to be renewed.
func (e *entry) due(now time.Time) bool {
	renew := e.renew.Load()
	return renew != nil && !now.Before(*renew) && e.renew.CompareAndSwap(renew, nil)
}

// Ready reports whether Token has a token at hand, so that no fetch is waited
// for.
func (c *Cache) Ready() bool { return c.current.Load().usable(time.Now()) }

// Token returns the token kept, if it is still good, without taking a lock.
// Otherwise it has one fetched for all who ask at the same time. The fetch has
// a context of its own: a caller whose ctx ends leaves alone. When a token
// nears its end it is renewed in the background; if that fails it stays in use
// for as long as it is good.
func (c *Cache) Token(ctx context.Context, fetch Fetch) (*oauth2.Token, error) {
	now := time.Now()
	if e := c.current.Load(); e.usable(now) {
		if e.due(now) {
			c.start(fetch, e)
		}
		return e.token, nil
	}
	f := c.start(fetch, nil)
	if f == nil { // another caller was faster
		return c.Token(ctx, fetch)
	}
	select {
	case <-f.done:
		return f.token, f.err
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for an access token: %w", ctx.Err())
	}
}

// start returns the fetch under way, or starts one; nil if meanwhile the entry
// has been replaced by a good one. The renewed entry is nil for a fetch that
// callers wait for.
func (c *Cache) start(fetch Fetch, renewed *entry) *flight {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.flight != nil {
		return c.flight
	}
	if e := c.current.Load(); e != renewed && e.usable(time.Now()) {
		return nil
	}
	f := &flight{done: make(chan struct{})}
	c.flight = f
	go c.run(f, fetch, renewed)
	return f
}

func (c *Cache) run(f *flight, fetch Fetch, renewed *entry) {
	ctx, cancel := context.WithTimeout(context.Background(), c.Patience)
	defer cancel()
	fetched := make(chan outcome, 1)
	go begin(ctx, fetch, fetched)
	var o outcome
	select {
	case o = <-fetched:
	case <-ctx.Done():
		o.err = ctx.Err()
	}
	if o.err != nil && ctx.Err() != nil {
		// Not wrapped: to a caller it would look like the end of its own context.
		o.err = fmt.Errorf("%w within %v: %s", errBroken, c.Patience, strings.TrimPrefix(o.err.Error(), "mid: "))
	}
	f.token, f.err = o.token, o.err
	c.land(f, renewed)
}

// outcome is what came of a fetch.
type outcome struct {
	token *oauth2.Token
	err   error
}

// begin fetches. A fetch that panics, or ends its goroutine, has an outcome
// too: it must leave no caller waiting.
func begin(ctx context.Context, fetch Fetch, fetched chan<- outcome) {
	o := outcome{err: errBroken}
	defer func() {
		if p := recover(); p != nil {
			o.err = fmt.Errorf("%w: it panicked with a %T", errBroken, p)
		}
		fetched <- o
	}()
	o.token, o.err = fetch(ctx)
}

// land ends a flight: it keeps the token and tells those who wait.
func (c *Cache) land(f *flight, renewed *entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	switch {
	case f.err == nil:
		c.current.Store(newEntry(f.token, now))
	case renewed != nil:
		next := now.Add(max(renewed.stale.Sub(now)/10, renewPause))
		renewed.renew.Store(&next)
	}
	c.flight = nil
	close(f.done)
}

var errBroken = errors.New("the token source did not return")

// Invalidate drops t, and only t: a newer token stays.
func (c *Cache) Invalidate(_ context.Context, t *oauth2.Token) error {
	if e := c.current.Load(); e != nil && e.token.AccessToken == t.AccessToken {
		c.current.CompareAndSwap(e, nil)
	}
	return nil
}
