package transport

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The waits are anything up to MinWait, doubled each time, up to MaxWait.
func TestBackoff(t *testing.T) {
	t.Parallel()
	p := Policy{MinWait: 100 * time.Millisecond, MaxWait: time.Second}
	for sent, bound := range map[int]time.Duration{
		1: 100 * time.Millisecond, 2: 200 * time.Millisecond, 4: 800 * time.Millisecond, 5: time.Second, 1000: time.Second,
	} {
		lowest, highest := time.Hour, time.Duration(0)
		for range 500 {
			d := p.backoff(sent)
			lowest, highest = min(lowest, d), max(highest, d)
		}
		require.LessOrEqual(t, highest, bound)
		require.Greater(t, highest, bound*8/10, "%d", sent)
		require.Less(t, lowest, bound*2/10, "%d", sent)
	}
	require.Zero(t, (&Policy{}).backoff(3))
}
