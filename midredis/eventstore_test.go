package midredis_test

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midredis"
)

const lease = time.Minute

func newStore(t *testing.T, rdb redis.UniversalClient, account string, opts ...midredis.Option) *midredis.EventStore {
	t.Helper()
	store, err := midredis.NewEventStore(rdb, account, opts...)
	require.NoError(t, err)
	return store
}

func TestEventIsHandledOnceByAllStoresOfAnAccount(t *testing.T) {
	server, account := sharedRedis(t), newAccount()
	a, b := newStore(t, server.client(t), account), newStore(t, server.client(t), account)

	claim, err := a.Claim(t.Context(), "evt_1", lease)
	require.NoError(t, err)
	_, err = b.Claim(t.Context(), "evt_1", lease)
	require.ErrorIs(t, err, mid.ErrEventInHand)
	require.NoError(t, claim.Done(t.Context()))
	require.NoError(t, claim.Done(t.Context()), "Redis may have marked it, and its answer was lost")
	_, err = b.Claim(t.Context(), "evt_1", lease)
	require.ErrorIs(t, err, mid.ErrEventHandled)

	other := newStore(t, server.client(t), newAccount())
	_, err = other.Claim(t.Context(), "evt_1", lease)
	require.NoError(t, err, "an account's events are its own")
}

func TestHandledEventIsRememberedForADay(t *testing.T) {
	rdb, account := sharedRedis(t).client(t), newAccount()
	claim, err := newStore(t, rdb, account).Claim(t.Context(), "evt_1", time.Second)
	require.NoError(t, err)
	require.NoError(t, claim.Done(t.Context()))
	kept, err := rdb.PTTL(t.Context(), "mid:{"+account+"}:event:evt_1").Result()
	require.NoError(t, err)
	assert.Greater(t, kept, 24*time.Hour)
}

// The later of two claims has the greater token, even if Redis lost its data
// between them: a handler that hung is distinguished from its successor.
func TestFenceGrows(t *testing.T) {
	rdb, account := startRedis(t).client(t), newAccount()
	store := newStore(t, rdb, account)
	var last int64
	for i := range 20 {
		claim, err := store.Claim(t.Context(), "evt_1", lease)
		require.NoError(t, err)
		ctx, err := claim.Context(t.Context())
		require.NoError(t, err)
		fence := midredis.Fence(ctx)
		require.Greater(t, fence, last)
		last = fence
		require.NoError(t, claim.Release(t.Context()))
		if i%5 == 0 {
			require.NoError(t, rdb.FlushAll(t.Context()).Err())
		}
	}
	assert.Zero(t, midredis.Fence(t.Context()))
}

// A claim is released if Redis' answer came too late. Otherwise it would keep the
// event from being handled for a whole lease.
func TestClaimThatCameTooLateIsReleased(t *testing.T) {
	server, account := startRedis(t), newAccount()
	slow := newStore(t, server.client(t), account, midredis.WithTimeout(100*time.Millisecond))
	rdb := server.client(t)
	require.NoError(t, rdb.Do(t.Context(), "CLIENT", "PAUSE", "400", "ALL").Err())

	begun := time.Now()
	_, err := slow.Claim(t.Context(), "evt_1", lease)
	require.Error(t, err)
	assert.NotErrorIs(t, err, context.DeadlineExceeded, "no context of the caller's has ended")
	assert.Less(t, time.Since(begun), 350*time.Millisecond, "the command was waited for")

	patient := newStore(t, server.client(t), account, midredis.WithTimeout(10*time.Second))
	require.Eventually(t, func() bool {
		_, err := patient.Claim(t.Context(), "evt_1", lease)
		return err == nil
	}, 20*time.Second, 20*time.Millisecond)
}

func TestClaimReturnsWhenItsContextEnds(t *testing.T) {
	server := startRedis(t)
	store := newStore(t, server.client(t), newAccount(), midredis.WithTimeout(time.Minute))
	require.NoError(t, server.client(t).Do(t.Context(), "CLIENT", "PAUSE", "1500", "ALL").Err())
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	begun := time.Now()
	_, err := store.Claim(ctx, "evt_1", lease)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Less(t, time.Since(begun), time.Second)
}

// go-redis sends a command again when its connection broke, so Redis may see a
// claim twice.
func TestRepeatedClaimIsTheSame(t *testing.T) {
	server, account := sharedRedis(t), newAccount()
	rdb := server.client(t)
	rdb.AddHook(twice{})
	claim, err := newStore(t, rdb, account).Claim(t.Context(), "evt_1", lease)
	require.NoError(t, err)
	require.NoError(t, claim.Done(t.Context()))
}

// twice sends each command twice, and returns the second answer.
type twice struct{ redis.Hook }

func (twice) DialHook(next redis.DialHook) redis.DialHook { return next }

func (twice) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if cmd.Name() == "eval" {
			if err := next(ctx, cmd); err != nil {
				return err
			}
		}
		return next(ctx, cmd)
	}
}

func (twice) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func TestStoreFailsWhileRedisIsGone(t *testing.T) {
	server, account := startRedis(t), newAccount()
	store := newStore(t, server.client(t), account)
	claim, err := store.Claim(t.Context(), "evt_1", lease)
	require.NoError(t, err)
	server.stop()
	for _, err := range []error{claim.Done(t.Context()), claim.Release(t.Context())} {
		require.Error(t, err)
		require.NotErrorIs(t, err, mid.ErrClaimLost)
	}
	_, err = store.Claim(t.Context(), "evt_2", lease)
	require.Error(t, err)

	server.start(t) // empty
	require.Eventually(t, func() bool {
		_, err := store.Claim(t.Context(), "evt_2", lease)
		return err == nil
	}, 20*time.Second, 20*time.Millisecond, "the store does not recover")
	assert.ErrorIs(t, claim.Done(t.Context()), mid.ErrClaimLost, "Redis has forgotten the claim")
}

func TestConstructorsRefuse(t *testing.T) {
	rdb := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"})
	defer rdb.Close()
	for name, err := range map[string]error{
		"a nil client":            second(midredis.NewEventStore(nil, "client-1")),
		"an empty account":        second(midredis.NewEventStore(rdb, "")),
		"no timeout":              second(midredis.NewEventStore(rdb, "client-1", midredis.WithTimeout(0))),
		"a nil client, to notify": second(midredis.NewNotifier(nil, "client-1")),
	} {
		_, ok := err.(*mid.ValidationError)
		assert.True(t, ok, "%s: %v", name, err)
	}
}

func second[T any](_ T, err error) error { return err }
