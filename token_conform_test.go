package mid_test

import (
	"testing"
	"time"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/internal/credentials"
	"github.com/mobid-io/mid-go/midtest"
)

func TestDefaultTokenCacheConforms(t *testing.T) {
	t.Parallel()
	midtest.TestTokenCache(t, func(*testing.T) mid.TokenCache { return &credentials.Cache{Patience: time.Minute} })
}
