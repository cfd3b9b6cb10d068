package pacing

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A time of the server's is never made a local time that is early, and the answers
// of a second show it to some milliseconds.
func TestLocalTimeIsNotEarly(t *testing.T) {
	var c clock
	start := time.Now()
	server := func(now time.Time) time.Time { return now.Round(0).Add(lead) }
	for n := range 50 {
		now := start.Add(time.Duration(n) * 21 * time.Millisecond)
		date, set := c.observe(server(now.Add(-5*time.Millisecond)).UTC().Format(http.TimeFormat), now)
		require.False(t, set)
		require.Less(t, server(now).Sub(date), 1100*time.Millisecond)
		at := now.Add(time.Minute)
		require.False(t, c.local(server(at)).Before(at))
	}
	at := start.Add(time.Minute)
	require.WithinDuration(t, at, c.local(server(at)), 30*time.Millisecond)
}

// One answer that was long on its way changes nothing; three in a row show that
// the server's clock was set back.
func TestServerClockThatIsSetBack(t *testing.T) {
	var c clock
	now := time.Now()
	observe := func(lead time.Duration) bool {
		now = now.Add(time.Second)
		_, set := c.observe(now.Add(lead).UTC().Format(http.TimeFormat), now)
		return set
	}
	require.False(t, observe(0))
	at := now.Add(time.Minute)
	local := c.local(at)
	require.False(t, observe(-20*time.Second))
	require.False(t, observe(0))
	require.False(t, observe(-20*time.Second))
	require.False(t, observe(-20*time.Second))
	require.True(t, local.Equal(c.local(at)))
	require.True(t, observe(-20*time.Second))
	require.WithinDuration(t, local.Add(20*time.Second), c.local(at), time.Second)
}

// A smaller step is found out when the old answers are forgotten.
func TestOldAnswersAreForgotten(t *testing.T) {
	var c clock
	now := time.Now()
	for n := range 200 {
		lead := 3 * time.Second
		if n > 10 {
			lead = 0
		}
		_, set := c.observe(now.Add(lead).UTC().Format(http.TimeFormat), now)
		require.False(t, set)
		now = now.Add(time.Second)
	}
	require.False(t, c.local(now.Round(0)).Before(now))
}
