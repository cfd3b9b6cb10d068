package midredis_test

import (
	"testing"

	"github.com/mobid-io/mid-go"
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
