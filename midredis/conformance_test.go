package midredis_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midredis"
	"github.com/mobid-io/mid-go/midtest"
)

func TestEventStoreConforms(t *testing.T) {
	midtest.TestEventStore(t, func(t *testing.T) mid.EventStore {
		return newStore(t, sharedRedis(t).client(t), newAccount(), generous)
	})
}

func TestNotifierConforms(t *testing.T) {
	midtest.TestNotifier(t, func(t *testing.T) mid.Notifier {
		return newNotifier(t, sharedRedis(t).client(t), newAccount())
	})
}

func TestTokenCacheConforms(t *testing.T) {
	midtest.TestTokenCache(t, func(t *testing.T) mid.TokenCache {
		return newCache(t, sharedRedis(t).client(t), newAccount(), generous)
	})
}

func TestLimiterConforms(t *testing.T) {
	midtest.TestLimiter(t, func(t *testing.T) mid.Limiter {
		limiter, err := midredis.NewLimiter(sharedRedis(t).client(t), newAccount(), mid.Plan{RequestsPerMinute: 12000, Burst: 300}, generous)
		require.NoError(t, err)
		return limiter
	})
}
