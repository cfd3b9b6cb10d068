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

// Fetch gets a new token; it is not nil unless there is an error.
type Fetch = func(ctx context.Context) (*oauth2.Token, error)

// Cache keeps one token for all callers.
type Cache struct {
	// Patience is how long a fetch may take. One that does not end then, with
	// its context, is left behind.
	Patience time.Duration

	current atomic.Pointer[entry]

	mu     sync.Mutex
	flight *flight // the fetch under way, or nil
}

// flight is one fetch; token and err are set when done is closed.
type flight struct {
	done  chan struct{}
	token *oauth2.Token
	err   error
}

// Token returns the cached token, without taking a lock, if it is still good.
// Otherwise it fetches one for all callers that ask at the same time. The fetch has
// its own context, with the values of the caller that began it. A caller whose ctx
// ends returns at once, and the fetch goes on for the others. A token that nears its
// end is renewed in the background. If that fails, it stays in use while it is good.
func (c *Cache) Token(ctx context.Context, fetch Fetch) (*oauth2.Token, error) {
	now := time.Now()
	if e := c.current.Load(); e.usable(now) {
		if e.due(now) {
			c.start(ctx, fetch, e)
		}
		return e.token, nil
	}
	f := c.start(ctx, fetch, nil)
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

// start returns the fetch under way, or starts one. It returns nil if a good entry
// has come meanwhile. renewed is the entry to renew, or nil for a fetch that callers
// wait for.
func (c *Cache) start(ctx context.Context, fetch Fetch, renewed *entry) *flight {
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
	go c.run(context.WithoutCancel(ctx), f, fetch, renewed)
	return f
}

// run fetches for a flight; it ends with Patience, whatever the fetch does.
func (c *Cache) run(ctx context.Context, f *flight, fetch Fetch, renewed *entry) {
	ctx, cancel := context.WithTimeout(ctx, c.Patience)
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
		o.err = fmt.Errorf("%w within %v: %s", ErrBroken, c.Patience, strings.TrimPrefix(o.err.Error(), "mid: "))
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
	o := outcome{err: ErrBroken}
	defer func() {
		if p := recover(); p != nil {
			o.err = fmt.Errorf("%w: it panicked with a %T", ErrBroken, p)
		}
		fetched <- o
	}()
	o.token, o.err = fetch(ctx)
}

// land ends a flight: it keeps the token and wakes those who wait.
func (c *Cache) land(f *flight, renewed *entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	switch {
	case f.err == nil:
		c.current.Store(newEntry(f.token, now.Round(0)))
	case renewed != nil:
		renewed.failed(now)
	}
	c.flight = nil
	close(f.done)
}

// ErrBroken is the error of a fetch that hung, panicked or ended its goroutine.
var ErrBroken = errors.New("the token source did not return")

// Invalidate drops t, and only t: a newer token stays.
func (c *Cache) Invalidate(_ context.Context, t *oauth2.Token) error {
	if e := c.current.Load(); e != nil && e.token.AccessToken == t.AccessToken {
		c.current.CompareAndSwap(e, nil)
	}
	return nil
}
