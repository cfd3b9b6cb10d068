package midtest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/mobid-io/mid-go"
)

// TestTokenCache checks that a TokenCache keeps the promises of its
// documentation. newCache is called for each subtest and returns a cache that
// holds no token yet, such as one with a key of its own in a database. What it
// opens it closes with t.Cleanup.
func TestTokenCache(t *testing.T, newCache func(*testing.T) mid.TokenCache) {
	t.Helper()
	begin := func(t *testing.T) cacheTest { return cacheTest{t, newCache(t), &issuer{life: time.Hour}} }
	conform(t, begin, []promise[cacheTest]{
		{"a token is kept", cacheTest.tokenIsKept},
		{"one fetch for all who ask", cacheTest.oneFetch},
		{"a caller whose ctx ends leaves the others", cacheTest.callerLeaves},
		{"fetch gets the values of a caller", cacheTest.valuesReachFetch},
		{"an error keeps its chain", cacheTest.errorKeepsChain},
		{"an error is not kept", cacheTest.errorIsNotKept},
		{"Invalidate drops the token", cacheTest.invalidateDrops},
		{"Invalidate drops no newer token", cacheTest.invalidateDropsNoOther},
		{"an expired token is not returned", cacheTest.expiredIsNotReturned},
		{"callers and Invalidate may meet", cacheTest.concurrent},
	})
}

type cacheTest struct {
	*testing.T
	cache mid.TokenCache
	*issuer
}

// issuer issues a new token for each fetch.
type issuer struct {
	life    time.Duration
	fetches atomic.Int32
}

func (s *issuer) fetch(context.Context) (*oauth2.Token, error) {
	s.fetches.Add(1)
	return &oauth2.Token{AccessToken: unique("conform-"), TokenType: "Bearer", Expiry: time.Now().Add(s.life)}, nil
}

type fetchFunc = func(context.Context) (*oauth2.Token, error)

// token asks for one that must come.
func (t cacheTest) token(fetch fetchFunc) *oauth2.Token {
	t.Helper()
	token, err := t.ask(fetch)
	if err != nil {
		t.Fatalf("Token returned the error %q, but its fetch would return none", err)
	}
	if token == nil {
		t.Fatalf("Token returned neither a token nor an error")
	}
	return token
}

func (t cacheTest) ask(fetch fetchFunc) (token *oauth2.Token, err error) {
	t.Helper()
	promptly(t.T, "Token has not returned", func() { token, err = t.cache.Token(lasting(t.T), fetch) })
	return token, err
}

func (t cacheTest) invalidate(token *oauth2.Token) {
	t.Helper()
	var err error
	promptly(t.T, "Invalidate has not returned", func() { err = t.cache.Invalidate(lasting(t.T), token) })
	if err != nil {
		t.Fatalf("Invalidate returned the error %q", err)
	}
}

// fetched checks how often a token was fetched, and says why.
func (t cacheTest) fetched(want int32, why string) {
	t.Helper()
	if n := t.fetches.Load(); n != want {
		t.Errorf("a token was fetched %d times, want %d: %s", n, want, why)
	}
}

func (t cacheTest) tokenIsKept() {
	var issued *oauth2.Token
	fetch := func(ctx context.Context) (token *oauth2.Token, err error) {
		token, err = t.fetch(ctx)
		issued = token
		return token, err
	}
	for range 3 { // fetched, then kept
		got := t.token(fetch)
		t.fetched(1, "a token that is good for an hour is kept")
		if issued == nil {
			t.Fatalf("Token returned a token that it did not fetch, but newCache returns a cache without one")
		}
		if got.AccessToken != issued.AccessToken || got.TokenType != issued.TokenType {
			t.Errorf("Token returned another AccessToken or TokenType than it fetched")
		}
		if off := got.Expiry.Sub(issued.Expiry).Abs(); off > time.Second { // a store may round it
			t.Errorf("Token returned an Expiry that is off by %v", off)
		}
	}
}

func (t cacheTest) oneFetch() {
	const callers = 50
	slow := func(ctx context.Context) (*oauth2.Token, error) {
		time.Sleep(100 * time.Millisecond) // for the others to arrive
		return t.fetch(ctx)
	}
	tokens := make([]*oauth2.Token, callers)
	failures := together(t.T, callers, "Token has not returned to all callers", func(i int) (err error) {
		tokens[i], err = t.cache.Token(lasting(t.T), slow)
		return err
	})
	if err := errors.Join(failures...); err != nil {
		t.Fatalf("Token returned the error %q, but its fetch would return none", err)
	}
	t.fetched(1, fmt.Sprintf("%d callers at a time share one fetch", callers))
	for _, token := range tokens {
		if token.AccessToken != tokens[0].AccessToken {
			t.Fatalf("callers at a time got different tokens, but they share one fetch")
		}
	}
}

// callerLeaves has one caller begin a fetch, another join it, and the first one
// leave.
func (t cacheTest) callerLeaves() {
	var began, ended sync.Once
	begun, release, cut := make(chan struct{}), make(chan struct{}), make(chan struct{})
	var released sync.Once
	free := func() { released.Do(func() { close(release) }) }
	t.Cleanup(free)
	fetch := func(ctx context.Context) (*oauth2.Token, error) {
		began.Do(func() { close(begun) })
		select {
		case <-release:
		case <-ctx.Done():
		}
		if err := ctx.Err(); err != nil {
			ended.Do(func() { close(cut) })
			return nil, err
		}
		return t.fetch(ctx)
	}
	const grace = 50 * time.Millisecond
	ctx, leave := context.WithCancel(lasting(t.T))
	defer leave()
	left, joined := make(chan error, 1), make(chan error, 1)
	go func() { _, err := t.cache.Token(ctx, fetch); left <- err }()
	if !arrives(begun) {
		t.Fatalf("Token has not called fetch, but the cache holds no token")
	}
	go func() { _, err := t.cache.Token(lasting(t.T), fetch); joined <- err }()
	time.Sleep(grace)
	leave()
	var err error
	promptly(t.T, "Token has not returned when its caller's ctx ended", func() { err = <-left })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Token returned %s when its caller's ctx was canceled, want %q", shown(err), context.Canceled)
	}
	time.Sleep(grace)
	free()
	promptly(t.T, "Token has not returned to a caller that stayed when another left", func() { err = <-joined })
	select {
	case <-cut:
		t.Errorf("the ctx of fetch ended with that of a caller, but one caller's end does not fail the others")
	default:
	}
	if err != nil {
		t.Errorf("Token returned the error %q to a caller that stayed, but another's end does not fail it", err)
	}
}

func (t cacheTest) valuesReachFetch() {
	ctx := context.WithValue(lasting(t.T), contextKey{}, "a value")
	var got any
	promptly(t.T, "Token has not returned", func() {
		_, _ = t.cache.Token(ctx, func(ctx context.Context) (*oauth2.Token, error) {
			got = ctx.Value(contextKey{})
			return t.fetch(ctx)
		})
	})
	if got != "a value" {
		t.Errorf("the ctx of fetch lacks the caller's values, but traces and loggers rest on them")
	}
}

func (t cacheTest) errorKeepsChain() {
	refused := &mid.APIError{StatusCode: http.StatusUnauthorized, Code: "invalid_client"}
	failure := fmt.Errorf("conform: %w", refused)
	failures := together(t.T, 10, "Token has not returned the error of fetch", func(int) error {
		_, err := t.cache.Token(lasting(t.T), func(context.Context) (*oauth2.Token, error) {
			time.Sleep(50 * time.Millisecond) // for the others to arrive
			return nil, failure
		})
		return err
	})
	for _, err := range failures {
		if got, ok := errors.AsType[*mid.APIError](err); !ok || got != refused || !errors.Is(err, failure) {
			t.Fatalf("Token returned %s, which does not wrap the error of fetch: the client recognizes a final one by it", shown(err))
		}
	}
}

func (t cacheTest) errorIsNotKept() {
	failure := errors.New("a failure that passes")
	if _, err := t.ask(func(context.Context) (*oauth2.Token, error) { return nil, failure }); err == nil {
		t.Fatalf("Token returned no error, but fetch failed")
	}
	if _, err := t.ask(t.fetch); err != nil {
		t.Errorf("Token returned the error %q after a fetch that failed, but the next call fetches anew", err)
	}
}

func (t cacheTest) invalidateDrops() {
	first := t.token(t.fetch)
	t.invalidate(&oauth2.Token{AccessToken: first.AccessToken})
	second := t.token(t.fetch)
	if second.AccessToken == first.AccessToken {
		t.Fatalf("Token returned a token that was invalidated, but the server refuses it")
	}
	t.fetched(2, "a token that was invalidated is fetched anew")
	if third := t.token(t.fetch); third.AccessToken != second.AccessToken {
		t.Errorf("Token returned another token than the one fetched after Invalidate")
	}
}

func (t cacheTest) invalidateDropsNoOther() {
	first := t.token(t.fetch)
	t.invalidate(first)
	second := t.token(t.fetch)
	t.invalidate(first)
	if got := t.token(t.fetch); got.AccessToken != second.AccessToken {
		t.Errorf("Invalidate dropped a newer token than the one it was given, but it drops only that")
	}
}

func (t cacheTest) expiredIsNotReturned() {
	t.life = time.Second
	first := t.token(t.fetch)
	time.Sleep(t.life + t.life/10)
	if got := t.token(t.fetch); got.AccessToken == first.AccessToken {
		t.Errorf("Token returned a token that has expired, but the client sends what it is given")
	}
}

// concurrent is for the race detector, and for locks that are taken twice.
func (t cacheTest) concurrent() {
	const broken = "Token or Invalidate has not returned, but a cache is safe for concurrent use"
	report(t.T, together(t.T, 8, broken, func(int) error {
		for range 10 {
			token, err := t.cache.Token(lasting(t.T), t.fetch)
			if err != nil {
				return fmt.Errorf("fetch returns no error, but Token returned the error %w", err)
			}
			if err := t.cache.Invalidate(lasting(t.T), token); err != nil {
				return err
			}
		}
		return nil
	}))
}
