package midredis_test

import (
	"bufio"
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go/midredis"
)

func newNotifier(t *testing.T, rdb redis.UniversalClient, account string) *midredis.Notifier {
	t.Helper()
	n, err := midredis.NewNotifier(rdb, account, midredis.WithTimeout(5*time.Second))
	require.NoError(t, err)
	return n
}

// listening waits until Redis has n subscribers of the account.
func listening(t *testing.T, rdb *redis.Client, account string, n int64) {
	t.Helper()
	channel := "mid:{" + account + "}:wake"
	require.Eventually(t, func() bool {
		counts, err := rdb.PubSubNumSub(context.Background(), channel).Result()
		return err == nil && counts[channel] == n
	}, 20*time.Second, 10*time.Millisecond)
}

func wakes(t *testing.T, wake <-chan struct{}, why string) {
	t.Helper()
	select {
	case <-wake:
	case <-time.After(20 * time.Second):
		require.FailNow(t, "not woken", why)
	}
}

// notify is the main function of a process at which a webhook arrives.
func notify(r role, stdin *bufio.Reader) error {
	n, err := midredis.NewNotifier(r.client(), r.Account, midredis.WithTimeout(5*time.Second))
	if err != nil {
		return err
	}
	if err := n.Notify(context.Background(), "sess_1"); err != nil {
		return err
	}
	return say("notified")
}

func TestWaitIsWokenByAnotherProcess(t *testing.T) {
	server, account := sharedRedis(t), newAccount()
	rdb := server.client(t)
	here := newNotifier(t, rdb, account)
	wake, other := here.Subscribe(t.Context(), "sess_1"), here.Subscribe(t.Context(), "sess_2")
	listening(t, rdb, account, 1)

	var said string
	role{Name: "notify", Redis: server.addr, Account: account}.start(t).read(t, &said)
	wakes(t, wake, "by a process that was notified")
	assert.Empty(t, other)
	assert.Empty(t, wake, "one notification is one")
}

// A process has one connection while any number of its callers wait, and closes it when
// they have left.
func TestSubscriptionsShareAConnection(t *testing.T) {
	server, account := sharedRedis(t), newAccount()
	rdb := server.client(t)
	n := newNotifier(t, rdb, account)
	before := runtime.NumGoroutine()
	for range 3 { // it begins anew after it ended
		ctx, cancel := context.WithCancel(t.Context())
		wake := n.Subscribe(ctx, "sess_1")
		for range 50 {
			n.Subscribe(ctx, "sess_2")
		}
		listening(t, rdb, account, 1)
		require.NoError(t, newNotifier(t, server.client(t), account).Notify(t.Context(), "sess_1"))
		wakes(t, wake, "by another notifier")
		cancel()
		listening(t, rdb, account, 0)
	}
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+5 }, 20*time.Second, 10*time.Millisecond,
		"goroutines are left")
}

func TestNotificationWithinTheProcessNeedsNoRedis(t *testing.T) {
	server := startRedis(t)
	n := newNotifier(t, server.client(t), newAccount())
	server.stop()
	begun := time.Now()
	wake := n.Subscribe(t.Context(), "sess_1")
	assert.Less(t, time.Since(begun), time.Second, "Subscribe waited for a connection")
	err := n.Notify(t.Context(), "sess_1")
	wakes(t, wake, "by its own process")
	require.Error(t, err)
	assert.True(t, strings.HasPrefix(err.Error(), "mid: "), err)
}

// What was published while there was no connection is lost, so all that wait look
// once when it is back.
func TestSubscriptionOutlivesTheConnection(t *testing.T) {
	server, account := startRedis(t), newAccount()
	rdb := server.client(t)
	wake := newNotifier(t, rdb, account).Subscribe(t.Context(), "sess_1")
	listening(t, rdb, account, 1)
	server.stop()
	time.Sleep(200 * time.Millisecond) // the outage
	server.start(t)
	wakes(t, wake, "after a gap")
	require.NoError(t, newNotifier(t, server.client(t), account).Notify(t.Context(), "sess_1"))
	wakes(t, wake, "by a notification after the gap")
}
