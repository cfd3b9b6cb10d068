package midredis

import (
	"context"
	"crypto/rand"
	_ "embed" // for the scripts
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/oauth2"

	"github.com/mobid-io/mid-go"
)

var (
	//go:embed token.lua
	tokenScript string
	//go:embed extend.lua
	extendScript string
	//go:embed keep.lua
	keepScript string
	//go:embed drop.lua
	dropScript string
)

const (
	// lockLife is how long others wait for a process that died while it fetched:
	// about as long as a slow fetch. One that lives extends it.
	lockLife   = 2 * time.Second
	lockExtend = lockLife / 5
	// Those who wait for another's fetch look again and again, at first often.
	firstLook, lastLook = 10 * time.Millisecond, 200 * time.Millisecond
	// A token is not taken over in the last tenth of its life, or the last
	// spare: it would expire on its way.
	spare = 10 * time.Second
)

// TokenCache is a [mid.TokenCache] in Redis, made by [NewTokenCache]. It is safe
// for concurrent use.
//
// One process of all fetches a token, and renews it ahead of time; the others take
// it over. Each keeps a copy in memory, so the usual call costs no round trip. A
// process that fetches holds a lock, which it extends. If it dies, another fetches
// after two seconds at most.
//
// Tokens are sealed with AES-256-GCM, under a key that is derived from the client
// secret: they are of no use to anyone who reads Redis. Processes with another
// secret share another token, so a secret may be rotated process by process.
//
// While Redis is slow or gone, a process fetches a token of its own.
type TokenCache struct {
	link   *link
	health health
	seal   *seal
	token  string // the token's key
	lock   string // and that of those who fetch
	local  mid.TokenCache
	// latest is the mark of the token that this process had last: when it asks
	// for another, that one is due, used up or refused.
	latest  atomic.Pointer[string]
	refused refused
}

var _ mid.TokenCache = (*TokenCache)(nil)

// NewTokenCache returns a cache of the account's token, which all processes share
// that name the same account and secret. The account may be any string but the
// empty one, such as the client id. rdb stays the caller's to close. NewTokenCache
// connects to nothing. The error is a [*mid.ValidationError], or, under FIPS 140,
// says that the secret is too short.
func NewTokenCache(rdb redis.UniversalClient, account, clientSecret string, opts ...Option) (*TokenCache, error) {
	l, err := newLink("midredis.NewTokenCache", rdb, account, opts)
	if err != nil {
		return nil, err
	}
	s, err := newSeal(account, clientSecret)
	if err != nil {
		return nil, err
	}
	c := &TokenCache{
		link:   l,
		health: health{logger: l.logger, share: "access token"},
		seal:   s,
		token:  l.key("token:" + s.id),
		lock:   l.key("token-lock:" + s.id),
		local:  mid.NewTokenCache(),
	}
	c.latest.Store(new(string))
	return c, nil
}

// Token implements [mid.TokenCache].
func (c *TokenCache) Token(ctx context.Context, fetch func(context.Context) (*oauth2.Token, error)) (*oauth2.Token, error) {
	return c.local.Token(ctx, func(ctx context.Context) (*oauth2.Token, error) {
		token, err := c.obtain(ctx, fetch)
		if err == nil && token != nil {
			mark := c.seal.mark(token)
			c.latest.Store(&mark)
		}
		return token, err
	})
}

// Invalidate implements [mid.TokenCache]. If Redis fails the error is nil: this
// process has dropped t and does not take it over again, and each of the others
// does the same at its own 401.
func (c *TokenCache) Invalidate(ctx context.Context, t *oauth2.Token) error {
	if err := c.local.Invalidate(ctx, t); err != nil {
		return err
	}
	c.refused.add(c.seal.mark(t))
	_, err := bounded(ctx, c.link, func(ctx context.Context) (int64, error) {
		return c.link.eval(ctx, dropScript, []string{c.token}, c.seal.mark(t)).Int64()
	}, nil)
	if err != nil && ctx.Err() == nil {
		c.health.failed(ctx, err)
	}
	return nil
}

// obtain takes over the token of another process, or fetches one for all.
func (c *TokenCache) obtain(ctx context.Context, fetch func(context.Context) (*oauth2.Token, error)) (*oauth2.Token, error) {
	nonce, unwanted := rand.Text(), *c.latest.Load()
	for look := firstLook; ; {
		answer, err := c.ask(ctx, nonce, unwanted)
		if err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			c.health.failed(ctx, err)
			return fetch(ctx)
		}
		switch {
		case answer.locked:
			c.health.well(ctx)
			return c.fetchForAll(ctx, nonce, fetch)
		case answer.value != "":
			mark := answer.value[:min(markLength, len(answer.value))]
			if token := c.takeOver(answer); token != nil && !c.refused.has(mark) {
				c.health.well(ctx)
				return token, nil
			}
			unwanted = mark
			continue
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(look + mathrand.N(look)):
		}
		look = min(2*look, lastLook)
	}
}

// answer is what Redis has for a process without a token.
type answer struct {
	value  string        // a token and its mark, if it is not empty
	left   time.Duration // of the token's life; negative if it does not expire
	locked bool          // the caller has the lock
}

func (c *TokenCache) ask(ctx context.Context, nonce, unwanted string) (answer, error) {
	return bounded(ctx, c.link, func(ctx context.Context) (answer, error) {
		reply, err := c.link.eval(ctx, tokenScript, []string{c.token, c.lock}, nonce, lockLife.Milliseconds(), unwanted).Slice()
		if err != nil {
			return answer{}, err
		}
		return readAnswer(reply)
	}, func(a answer) {
		if a.locked { // this process will not fetch
			c.unlock(ctx, nonce)
		}
	})
}

var errReply = errors.New("the reply of Redis is not one of the script's")

func readAnswer(reply []any) (answer, error) {
	if len(reply) == 1 {
		return answer{locked: reply[0] == int64(0)}, nil
	}
	if len(reply) != 3 {
		return answer{}, errReply
	}
	value, isText := reply[1].(string)
	left, isNumber := reply[2].(int64)
	if !isText || !isNumber || value == "" {
		return answer{}, errReply
	}
	return answer{value: value, left: time.Duration(left) * time.Millisecond}, nil
}

// takeOver returns the token of an answer, or nil if it is of no use.
func (c *TokenCache) takeOver(a answer) *oauth2.Token {
	s, err := c.seal.open(c.token, a.value)
	if err != nil {
		return nil
	}
	token := &oauth2.Token{AccessToken: s.AccessToken, TokenType: s.TokenType}
	if a.left >= 0 {
		if a.left <= min(spare, s.Life/10) {
			return nil
		}
		token.Expiry = time.Now().Round(0).Add(a.left)
	}
	return token
}

// fetchForAll fetches while the lock is held, and keeps the token for the others.
func (c *TokenCache) fetchForAll(ctx context.Context, nonce string, fetch func(context.Context) (*oauth2.Token, error)) (*oauth2.Token, error) {
	holding, stop := context.WithCancel(ctx)
	kept := false
	// Deferred, for the case that fetch panics.
	defer func() {
		stop()
		if !kept {
			c.unlock(ctx, nonce)
		}
	}()
	go c.hold(holding, nonce)
	token, err := fetch(ctx)
	if err != nil || token == nil {
		return token, err
	}
	// Stopped later, an extension could come after the token and keep the lock.
	stop()
	if err := c.keep(ctx, nonce, token); err != nil {
		c.health.failed(ctx, err)
		return token, nil
	}
	kept = true
	return token, nil
}

// hold extends the lock until ctx ends. If that fails the lock lapses, and the
// token is fetched twice.
func (c *TokenCache) hold(ctx context.Context, nonce string) {
	tick := time.NewTicker(lockExtend)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		_, _ = bounded(ctx, c.link, func(ctx context.Context) (int64, error) {
			return c.link.eval(ctx, extendScript, []string{c.lock}, nonce, lockLife.Milliseconds()).Int64()
		}, nil)
	}
}

// keep stores a token until it expires.
func (c *TokenCache) keep(ctx context.Context, nonce string, token *oauth2.Token) error {
	var life time.Duration
	if !token.Expiry.IsZero() {
		// On the wall clock: the monotonic one stands still while a machine
		// sleeps.
		life = token.Expiry.Round(0).Sub(time.Now().Round(0))
		if life <= 0 {
			c.unlock(ctx, nonce)
			return nil
		}
	}
	value, err := c.seal.close(c.token, token, life)
	if err != nil {
		return fmt.Errorf("sealing the token: %w", err)
	}
	_, err = bounded(ctx, c.link, func(ctx context.Context) (int64, error) {
		left := int64(0)
		if life > 0 {
			left = milliseconds(life)
		}
		return c.link.eval(ctx, keepScript, []string{c.token, c.lock}, nonce, value, left).Int64()
	}, nil)
	return err
}

// unlock ends the caller's lock. If that fails it lapses.
func (c *TokenCache) unlock(ctx context.Context, nonce string) {
	_, _ = bounded(context.WithoutCancel(ctx), c.link, func(ctx context.Context) (int64, error) {
		return c.link.eval(ctx, releaseScript, []string{c.lock}, nonce).Int64()
	}, nil)
}

// Format writes a fixed text, whatever the verb: the cache holds a token.
func (*TokenCache) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("midredis.TokenCache")) }

// refused holds the marks of the latest tokens that the server has refused. One of
// them may still be in Redis, which failed when it was to be dropped there.
type refused struct {
	mu    sync.Mutex
	marks [64]string
	next  int
}

func (r *refused) add(mark string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.marks[r.next%len(r.marks)] = mark
	r.next++
}

func (r *refused) has(mark string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Contains(r.marks[:], mark)
}
