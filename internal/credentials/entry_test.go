package credentials

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"
)

// When a token is renewed and when it is no longer used follows from its life.
func TestMargins(t *testing.T) {
	now := time.Now()
	for _, test := range []struct{ life, renew, stale time.Duration }{
		{24 * time.Hour, 24*time.Hour - 5*time.Minute, 24*time.Hour - 10*time.Second},
		{time.Hour, 55 * time.Minute, time.Hour - 10*time.Second},
		{time.Minute, 45 * time.Second, 54 * time.Second},
		{4 * time.Second, 3 * time.Second, 3600 * time.Millisecond},
		{-time.Minute, 0, 0},
	} {
		e := newEntry(&oauth2.Token{Expiry: now.Add(test.life)}, now)
		if test.life < 0 {
			require.False(t, e.usable(now))
			continue
		}
		require.True(t, e.usable(now))
		require.False(t, e.due(now.Add(test.renew-1)))
		require.True(t, e.due(now.Add(test.renew)))
		require.False(t, e.due(now.Add(test.renew)), "one caller renews")
		require.True(t, e.usable(now.Add(test.stale-1)))
		require.False(t, e.usable(now.Add(test.stale)))
	}
	forever := newEntry(new(oauth2.Token), now)
	require.True(t, forever.usable(now.Add(1000*time.Hour)))
	require.False(t, forever.due(now.Add(1000*time.Hour)))
	require.False(t, (*entry)(nil).usable(now))
}

// A machine that slept has no good token from before: the monotonic clock stood
// still meanwhile, so nothing may be compared by it.
func TestTimesAreOnTheWallClock(t *testing.T) {
	now := time.Now()
	require.NotEqual(t, now.Round(0), now, "the test's own time has a monotonic reading")
	e := newEntry(&oauth2.Token{Expiry: now.Add(time.Hour)}, now)
	require.Equal(t, e.stale.Round(0), e.stale)
	require.Equal(t, e.renew.Load().Round(0), *e.renew.Load())
	e.failed(now)
	require.Equal(t, e.renew.Load().Round(0), *e.renew.Load())
}
