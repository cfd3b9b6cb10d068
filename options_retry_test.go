package mid

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A duration that is zero is the default's, unless the one that is given
// leaves no room for it.
func TestZeroDurationsAreTheDefaults(t *testing.T) {
	const ms, s, m = time.Millisecond, time.Second, time.Minute
	for _, tt := range []struct{ given, want RetryPolicy }{
		{RetryPolicy{}, RetryPolicy{MinWait: 500 * ms, MaxWait: 8 * s, MaxRetryAfter: 2 * m}},
		{RetryPolicy{MaxRetries: 7, MinWait: s}, RetryPolicy{MaxRetries: 7, MinWait: s, MaxWait: 8 * s, MaxRetryAfter: 2 * m}},
		{RetryPolicy{MinWait: m}, RetryPolicy{MinWait: m, MaxWait: m, MaxRetryAfter: 2 * m}},
		{RetryPolicy{MaxWait: s}, RetryPolicy{MinWait: 500 * ms, MaxWait: s, MaxRetryAfter: 2 * m}},
		{RetryPolicy{MaxWait: ms}, RetryPolicy{MinWait: ms, MaxWait: ms, MaxRetryAfter: 2 * m}},
		{RetryPolicy{MaxRetryAfter: s}, RetryPolicy{MinWait: 500 * ms, MaxWait: 8 * s, MaxRetryAfter: s}},
		{RetryPolicy{1, 2, 3, 4}, RetryPolicy{1, 2, 3, 4}},
	} {
		cfg, err := newConfig("id", "secret", []Option{WithRetry(tt.given)})
		require.NoError(t, err)
		require.Equal(t, tt.want, cfg.retry)
	}
}
