package midredis_test

import (
	"context"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midredis"
)

// The users that README.md documents, in its order.
const (
	aclOfANode = iota
	aclOfAClusterNode
	aclOfASentinel
)

// allow makes the user mid at a server as a line of README.md says, with the account
// of a test.
func allow(t *testing.T, server *redisServer, account string, line int) {
	t.Helper()
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	lines := regexp.MustCompile(`(?m)^ACL SETUSER .*$`).FindAllString(string(text), -1)
	require.Len(t, lines, 3, "the ACL lines of README.md")
	var args []any
	for arg := range strings.FieldsSeq(strings.ReplaceAll(lines[line], "CLIENT-ID", account)) {
		args = append(args, arg)
	}
	require.NoError(t, server.client(t).Do(t.Context(), args...).Err())
}

// A user with the documented rights, and no other, is enough.
func TestDocumentedACLIsEnough(t *testing.T) {
	server, account := startRedis(t), newAccount()
	allow(t, server, account, aclOfANode)
	rdb := redis.NewClient(&redis.Options{Addr: server.addr, Username: "mid", Password: "PASSWORD"})
	defer rdb.Close()
	isEnough(t, rdb, account)
	require.Error(t, rdb.Keys(t.Context(), "*").Err())
}

// isEnough uses all four parts as a user that may use an account's keys only.
func isEnough(t *testing.T, rdb redis.UniversalClient, account string) {
	t.Helper()
	claim, err := newStore(t, rdb, account, generous).Claim(t.Context(), "evt_1", lease)
	require.NoError(t, err)
	require.NoError(t, claim.Done(t.Context()))
	require.NoError(t, claim.Release(t.Context()))

	cache, i := newCache(t, rdb, account, generous), &issuer{life: time.Hour}
	token := tokenOf(t, cache, i)
	require.NoError(t, cache.Invalidate(t.Context(), token))
	tokenOf(t, cache, i)
	tokenOf(t, newCache(t, rdb, account, generous), i)
	assert.EqualValues(t, 2, i.fetches.Load(), "the token was not shared")

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	wake := newNotifier(t, rdb, account).Subscribe(ctx, "sess_1")
	other := newNotifier(t, rdb, account)
	require.Eventually(t, func() bool { // the subscription may not have reached Redis yet
		require.NoError(t, other.Notify(t.Context(), "sess_1"))
		select {
		case <-wake:
			return true
		case <-time.After(100 * time.Millisecond):
			return false
		}
	}, 20*time.Second, 10*time.Millisecond)

	var log lockedBuffer
	limiter := newLimiter(t, rdb, account, mid.Plan{RequestsPerMinute: 6000, Burst: 100}, generous,
		midredis.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	for range 3 {
		reset := time.Now().Add(time.Minute)
		waitAndObserve(t, limiter, mid.RequestOutcome{Sent: true, RateLimit: mid.RateLimit{Limit: 50, Remaining: 5, Reset: reset}})
	}
	assert.Empty(t, log.String(), "the limiter went on without Redis")

	_, err = newStore(t, rdb, newAccount(), generous).Claim(t.Context(), "evt_1", lease)
	require.Error(t, err, "the user reaches another account's keys")
}
