package midtest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/mobid-io/mid-go"
)

var cacheFaults = map[string]planted{
	"a cache that keeps nothing":            {faultyCache, "a token is kept", "a token that is good for an hour is kept"},
	"a cache that loses the type":           {faultyCache, "a token is kept", "another AccessToken or TokenType than it fetched"},
	"a cache that loses the expiry":         {faultyCache, "a token is kept", "an Expiry that is off"},
	"a cache that stampedes":                {faultyCache, "one fetch for all who ask", "50 callers at a time share one fetch"},
	"a cache that fetches under its lock":   {faultyCache, "a caller whose ctx ends leaves the others", "has not returned when its caller's ctx ended"},
	"a cache that keeps a caller's ctx":     {faultyCache, "a caller whose ctx ends leaves the others", "the ctx of fetch ended with that of a caller"},
	"a cache that drops the values":         {faultyCache, "fetch gets the values of a caller", "lacks the caller's values"},
	"a cache that drops the error's chain":  {faultyCache, "an error keeps its chain", "does not wrap the error of fetch"},
	"a cache that keeps errors":             {faultyCache, "an error is not kept", "the next call fetches anew"},
	"a cache that swallows errors":          {faultyCache, "an error is not kept", "Token returned no error, but fetch failed"},
	"a cache that ignores Invalidate":       {faultyCache, "Invalidate drops the token", "returned a token that was invalidated"},
	"a cache that compares pointers":        {faultyCache, "Invalidate drops the token", "returned a token that was invalidated"},
	"a cache that drops whatever it has":    {faultyCache, "Invalidate drops no newer token", "dropped a newer token than the one it was given"},
	"a cache that returns what has expired": {faultyCache, "an expired token is not returned", "a token that has expired"},
}

func faultyCache(t *testing.T, mistake string) {
	t.Helper()
	TestTokenCache(t, func(*testing.T) mid.TokenCache {
		return &plantedCache{mistake: mistake}
	})
}

// plantedCache is a TokenCache with one mistake, or without if it is "".
type plantedCache struct {
	mistake string
	mu      sync.Mutex
	token   *oauth2.Token
	failed  error
	flight  *plantedFlight
}

type plantedFlight struct {
	landed chan struct{}
	token  *oauth2.Token
	err    error
}

func (c *plantedCache) has(mistake string) bool { return c.mistake == "a cache that "+mistake }

func (c *plantedCache) Token(ctx context.Context, fetch fetchFunc) (*oauth2.Token, error) {
	c.mu.Lock()
	if t := c.token; t != nil && (c.has("returns what has expired") || time.Now().Before(t.Expiry)) {
		defer c.mu.Unlock()
		return c.stored(t), nil
	}
	if c.failed != nil {
		defer c.mu.Unlock()
		return nil, c.failed
	}
	f := c.flight
	if f == nil || c.has("stampedes") {
		f = &plantedFlight{landed: make(chan struct{})}
		c.flight = f
		own := context.WithoutCancel(ctx)
		switch {
		case c.has("keeps a caller's ctx"):
			own = ctx
		case c.has("drops the values"):
			own = context.Background()
		}
		go c.run(own, f, fetch)
	}
	c.mu.Unlock()
	if c.has("fetches under its lock") {
		<-f.landed
	}
	select {
	case <-f.landed:
		return f.token, f.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (c *plantedCache) run(ctx context.Context, f *plantedFlight, fetch fetchFunc) {
	f.token, f.err = fetch(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flight = nil
	switch {
	case f.err == nil && !c.has("keeps nothing"):
		c.token = f.token
	case f.err != nil && c.has("drops the error's chain"):
		f.err = errors.New(f.err.Error())
	case f.err != nil && c.has("keeps errors"):
		c.failed = f.err
	case f.err != nil && c.has("swallows errors"):
		f.err = nil
	}
	close(f.landed)
}

// stored is a token as it comes out of a store.
func (c *plantedCache) stored(t *oauth2.Token) *oauth2.Token {
	out := *t
	if c.has("loses the type") {
		out.TokenType = ""
	}
	if c.has("loses the expiry") {
		out.Expiry = time.Time{}
	}
	return &out
}

func (c *plantedCache) Invalidate(_ context.Context, t *oauth2.Token) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.token == nil, c.has("ignores Invalidate"), c.has("compares pointers") && c.token != t:
	case c.token.AccessToken == t.AccessToken, c.has("drops whatever it has"):
		c.token = nil
	}
	return nil
}
