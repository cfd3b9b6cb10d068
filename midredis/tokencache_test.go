package midredis_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midredis"
)

const clientSecret = "client-secret-of-a-test"

func newCache(t *testing.T, rdb redis.UniversalClient, account string, opts ...midredis.Option) *midredis.TokenCache {
	t.Helper()
	cache, err := midredis.NewTokenCache(rdb, account, clientSecret, opts...)
	require.NoError(t, err)
	return cache
}

// issuer issues tokens, of which no two are the same.
type issuer struct {
	life    time.Duration
	fetches atomic.Int32
}

func (i *issuer) fetch(context.Context) (*oauth2.Token, error) {
	n := i.fetches.Add(1)
	return &oauth2.Token{AccessToken: "issued-" + strconv.Itoa(int(n)), TokenType: "Bearer", Expiry: time.Now().Add(i.life)}, nil
}

func tokenOf(t *testing.T, cache mid.TokenCache, i *issuer) *oauth2.Token {
	t.Helper()
	token, err := cache.Token(t.Context(), i.fetch)
	require.NoError(t, err)
	return token
}

func TestTokenIsTakenOver(t *testing.T) {
	server, account, i := sharedRedis(t), newAccount(), &issuer{life: time.Hour}
	first := tokenOf(t, newCache(t, server.client(t), account, generous), i)
	second := tokenOf(t, newCache(t, server.client(t), account, generous), i)
	assert.Equal(t, first.AccessToken, second.AccessToken)
	assert.Equal(t, first.TokenType, second.TokenType)
	assert.WithinDuration(t, first.Expiry, second.Expiry, time.Second)
	assert.EqualValues(t, 1, i.fetches.Load())

	other, err := midredis.NewTokenCache(server.client(t), account, "another-secret", generous)
	require.NoError(t, err)
	tokenOf(t, other, i)
	assert.EqualValues(t, 2, i.fetches.Load(), "a process with another secret took over a token")
}

// The usual call costs no round trip.
func TestTokenIsAtHand(t *testing.T) {
	rdb, i := sharedRedis(t).client(t), &issuer{life: time.Hour}
	var commands counting
	rdb.AddHook(&commands)
	cache := newCache(t, rdb, newAccount(), generous)
	tokenOf(t, cache, i)
	before := commands.n.Load()
	for range 1000 {
		tokenOf(t, cache, i)
	}
	assert.Equal(t, before, commands.n.Load())
	assert.LessOrEqual(t, before, int64(2), "round trips of the first call")
}

// counting counts commands.
type counting struct {
	redis.Hook
	n atomic.Int64
}

func (*counting) DialHook(next redis.DialHook) redis.DialHook { return next }

func (c *counting) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if name := cmd.Name(); name != "hello" && name != "client" {
			c.n.Add(1)
		}
		return next(ctx, cmd)
	}
}

func (*counting) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// Each process has the refused token until its own 401, and does not fetch again
// what another fetched.
func TestRefusedTokenIsReplacedOnceForAll(t *testing.T) {
	server, account, i := sharedRedis(t), newAccount(), &issuer{life: time.Hour}
	a, b := newCache(t, server.client(t), account, generous), newCache(t, server.client(t), account, generous)
	refused := tokenOf(t, a, i)
	tokenOf(t, b, i)
	require.NoError(t, a.Invalidate(t.Context(), refused))
	renewed := tokenOf(t, a, i)
	require.NoError(t, b.Invalidate(t.Context(), refused))
	assert.Equal(t, renewed.AccessToken, tokenOf(t, b, i).AccessToken)
	assert.EqualValues(t, 2, i.fetches.Load())
}

// A token that Redis could not drop is not taken over again.
func TestRefusedTokenIsRefusedWithoutRedisToo(t *testing.T) {
	server, account, i := startRedis(t), newAccount(), &issuer{life: time.Hour}
	cache := newCache(t, server.client(t), account, midredis.WithTimeout(300*time.Millisecond))
	refused := tokenOf(t, cache, i)
	rdb := server.client(t)
	require.NoError(t, rdb.Do(t.Context(), "CLIENT", "PAUSE", "3000", "ALL").Err())
	require.NoError(t, cache.Invalidate(t.Context(), refused))
	assert.NotEqual(t, refused.AccessToken, tokenOf(t, cache, i).AccessToken)
}

// Nor is it after an outage in which many other tokens were refused, such as by a
// server whose own store fails over.
func TestRefusedTokenIsRefusedAfterALongOutage(t *testing.T) {
	server, account, i := startRedis(t), newAccount(), &issuer{life: time.Hour}
	cache, admin := newCache(t, server.client(t), account, generous), server.client(t)
	refused := tokenOf(t, cache, i)
	require.NoError(t, admin.Do(t.Context(), "ACL", "SETUSER", "default", "-eval").Err())
	for token := refused; i.fetches.Load() < 50; token = tokenOf(t, cache, i) {
		require.NoError(t, cache.Invalidate(t.Context(), token))
	}
	require.NoError(t, admin.Do(t.Context(), "ACL", "SETUSER", "default", "+eval").Err())
	require.NoError(t, cache.Invalidate(t.Context(), tokenOf(t, cache, i)))
	assert.NotEqual(t, refused.AccessToken, tokenOf(t, cache, i).AccessToken)
}

func TestExpiredTokenIsFetchedOnceForAll(t *testing.T) {
	server, account, i := sharedRedis(t), newAccount(), &issuer{life: time.Second}
	caches := make([]*midredis.TokenCache, 4)
	for n := range caches {
		caches[n] = newCache(t, server.client(t), account, generous)
		tokenOf(t, caches[n], i)
	}
	require.EqualValues(t, 1, i.fetches.Load())
	time.Sleep(i.life + 100*time.Millisecond)
	i.life = time.Hour
	var all sync.WaitGroup
	for _, cache := range caches {
		all.Go(func() { assert.Equal(t, "issued-2", tokenOf(t, cache, i).AccessToken) })
	}
	all.Wait()
	assert.EqualValues(t, 2, i.fetches.Load())
}

// One process renews the token while the others use the old one, and then take
// the new one over.
func TestTokenIsRenewedAheadByOne(t *testing.T) {
	server, account, i := sharedRedis(t), newAccount(), &issuer{life: 8 * time.Second}
	caches := make([]*midredis.TokenCache, 4)
	for n := range caches {
		caches[n] = newCache(t, server.client(t), account, generous)
		tokenOf(t, caches[n], i)
	}
	i.life = time.Hour
	require.Eventually(t, func() bool {
		renewed := 0
		for _, cache := range caches {
			begun := time.Now()
			if tokenOf(t, cache, i).AccessToken == "issued-2" {
				renewed++
			}
			assert.Less(t, time.Since(begun), 2*time.Second, "a call waited for the renewal")
		}
		return renewed == len(caches)
	}, 20*time.Second, 50*time.Millisecond)
	assert.EqualValues(t, 2, i.fetches.Load())
}

// The lock of a process that died ends: the others wait no longer than a slow fetch
// takes. That of one that lives does not.
func TestLockEndsWithItsProcess(t *testing.T) {
	server, account, i := sharedRedis(t), newAccount(), &issuer{life: time.Hour}
	rdb := server.client(t)
	cache := newCache(t, rdb, account, generous)
	tokenOf(t, cache, i)
	keys, err := rdb.Keys(t.Context(), "mid:{"+account+"}:token:*").Result()
	require.NoError(t, err)
	require.Len(t, keys, 1)
	require.NoError(t, rdb.Del(t.Context(), keys...).Err())
	// What a process that died has left.
	lock := strings.Replace(keys[0], ":token:", ":token-lock:", 1)
	require.NoError(t, rdb.SetNX(t.Context(), lock, "a dead process", 2*time.Second).Err())
	begun := time.Now()
	tokenOf(t, newCache(t, server.client(t), account, generous), i)
	waited := time.Since(begun)
	assert.EqualValues(t, 2, i.fetches.Load())
	assert.Greater(t, waited, time.Second, "the lock was not respected")
	assert.Less(t, waited, 6*time.Second)
}

func TestSlowFetchKeepsItsLock(t *testing.T) {
	server, account, i := sharedRedis(t), newAccount(), &issuer{life: time.Hour}
	slow := func(ctx context.Context) (*oauth2.Token, error) {
		time.Sleep(3500 * time.Millisecond) // longer than the lock lives by itself
		return i.fetch(ctx)
	}
	var all sync.WaitGroup
	for range 3 {
		cache := newCache(t, server.client(t), account, generous)
		all.Go(func() {
			_, err := cache.Token(t.Context(), slow)
			assert.NoError(t, err)
		})
	}
	all.Wait()
	assert.EqualValues(t, 1, i.fetches.Load())
}

func TestFailedFetchIsTriedByTheNext(t *testing.T) {
	server, account, i := sharedRedis(t), newAccount(), &issuer{life: time.Hour}
	failure := errors.New("a failure that passes")
	_, err := newCache(t, server.client(t), account, generous).Token(t.Context(), func(context.Context) (*oauth2.Token, error) {
		return nil, failure
	})
	require.ErrorIs(t, err, failure)
	begun := time.Now()
	tokenOf(t, newCache(t, server.client(t), account, generous), i)
	assert.Less(t, time.Since(begun), 1500*time.Millisecond, "the lock of a failed fetch was waited for")
}

// A process without Redis has a token of its own, and says so once.
func TestTokenOfOnesOwnWhileRedisIsGone(t *testing.T) {
	server, account, i := startRedis(t), newAccount(), &issuer{life: time.Hour}
	var log lockedBuffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	cache := newCache(t, server.client(t), account, midredis.WithTimeout(300*time.Millisecond), midredis.WithLogger(logger))
	server.stop()
	for range 3 {
		begun := time.Now()
		token := tokenOf(t, cache, i)
		assert.Less(t, time.Since(begun), 5*time.Second)
		require.NoError(t, cache.Invalidate(t.Context(), token))
	}
	server.start(t)
	require.Eventually(t, func() bool {
		require.NoError(t, cache.Invalidate(t.Context(), tokenOf(t, cache, i)))
		return strings.Contains(log.String(), "share again")
	}, 20*time.Second, 50*time.Millisecond)
	assert.Equal(t, 2, strings.Count(log.String(), "\n"), log.String())
	assert.NotContains(t, log.String(), "issued-")
	assert.NotContains(t, log.String(), clientSecret)
}

// What Redis holds is of no use to anyone who reads it, and what someone wrote
// there is not taken for a token.
func TestTokenInRedisIsSealed(t *testing.T) {
	rdb, account, i := sharedRedis(t).client(t), newAccount(), &issuer{life: time.Hour}
	cache := newCache(t, rdb, account, generous)
	tokenOf(t, cache, i)
	keys, err := rdb.Keys(t.Context(), "mid:{"+account+"}:token:*").Result()
	require.NoError(t, err)
	require.Len(t, keys, 1)
	value, err := rdb.Get(t.Context(), keys[0]).Result()
	require.NoError(t, err)
	for _, secret := range []string{"issued-1", "Bearer", clientSecret} {
		assert.NotContains(t, value+keys[0], secret)
	}
	for n, planted := range []string{"short", strings.Repeat("x", 100), "", value[:len(value)-1] + "x"} {
		require.NoError(t, rdb.Set(t.Context(), keys[0], planted, time.Hour).Err())
		token := tokenOf(t, newCache(t, rdb, account, generous), i)
		assert.Equal(t, "issued-"+strconv.Itoa(n+2), token.AccessToken)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d"} {
		assert.Equal(t, "midredis.TokenCache", fmt.Sprintf(verb, cache))
	}
}

func TestTokenCacheRefusesAnEmptySecret(t *testing.T) {
	_, err := midredis.NewTokenCache(redis.NewClient(&redis.Options{}), "client-1", "")
	_, ok := errors.AsType[*mid.ValidationError](err)
	assert.True(t, ok, "%v", err)
}

// lockedBuffer is written to by several goroutines.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
