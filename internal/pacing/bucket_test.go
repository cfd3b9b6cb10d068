package pacing

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A bucket counts exactly, however long it is used.
func TestBucketCountsExactly(t *testing.T) {
	start := time.Now()
	b := Plan{PerMinute: 60, Burst: 5}.bucket(start)
	require.Equal(t, 5, b.tokens(start))
	b.take(5, start)
	require.Equal(t, 0, b.tokens(start))
	require.Equal(t, start.Add(2*time.Second), b.holds(2, start))
	require.Equal(t, 0, b.tokens(start.Add(time.Second-1)))
	require.Equal(t, 1, b.tokens(start.Add(time.Second)))
	b.back()
	require.Equal(t, 1, b.tokens(start))
	require.Equal(t, 5, b.tokens(start.Add(time.Hour)), "it never holds more than its size")
	now := start.Add(time.Hour)
	for range 100_000 {
		b.take(1, now)
		now = b.holds(5, now)
	}
	require.Equal(t, start.Add(time.Hour+100_000*time.Second), now)
}

// A plan's interval is rounded up: a bucket that is fast by a rounding error would
// run dry at the server first.
func TestPlanIsNotFast(t *testing.T) {
	for perMinute := 1; perMinute < 3000; perMinute++ {
		interval := Plan{PerMinute: perMinute, Burst: 1}.bucket(time.Now()).interval
		require.GreaterOrEqual(t, interval*time.Duration(perMinute), time.Minute)
	}
}

// What is in a bucket stays when its interval changes.
func TestBucketAtAnotherPace(t *testing.T) {
	now := time.Now()
	b := bucket{size: 10, interval: time.Second}
	b.set(4, now)
	b.pace(2*time.Second, now)
	require.Equal(t, 4, b.tokens(now))
	require.Equal(t, 5, b.tokens(now.Add(2*time.Second)))
}
