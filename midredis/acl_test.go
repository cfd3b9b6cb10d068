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

// documentedACL is the line of the README, with the account of a test.
func documentedACL(t *testing.T, account string) []any {
	t.Helper()
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	line := regexp.MustCompile(`(?m)^ACL SETUSER .*$`).FindString(string(text))
	require.NotEmpty(t, line, "README.md has no ACL line")
	line = strings.ReplaceAll(line, "CLIENT-ID", account)
	var args []any
	for arg := range strings.FieldsSeq(line) {
		args = append(args, arg)
	}
	return args
}

// A user with the documented rights, and no other, is enough.
func TestDocumentedACLIsEnough(t *testing.T) {
	server, account := startRedis(t), newAccount()
	admin := server.client(t)
	require.NoError(t, admin.Do(t.Context(), documentedACL(t, account)...).Err())
	rdb := redis.NewClient(&redis.Options{Addr: server.addr, Username: "mid", Password: "PASSWORD"})
	defer rdb.Close()

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
	n := newNotifier(t, rdb, account)
	wake := n.Subscribe(ctx, "sess_1")
	listening(t, admin, account, 1)
	require.NoError(t, newNotifier(t, rdb, account).Notify(t.Context(), "sess_1"))
	wakes(t, wake, "by a user with the documented rights")

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
	require.Error(t, rdb.Keys(t.Context(), "*").Err())
}
