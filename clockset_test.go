package mid_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// A clock that is set does harm for a few windows, not for the client's life:
// the server's account of the old time is forgotten.
func TestClockThatIsSet(t *testing.T) {
	for name, step := range map[string]time.Duration{"a little": -3 * time.Second, "much": -30 * time.Second, "ahead": 20 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			w := &window{limit: 20, length: time.Minute, latency: 100 * time.Millisecond}
			c := (&api{handle: w.handle}).client(t, staticToken())
			hurry(t, []*mid.Client{c}, 8, 3*time.Minute)
			require.Zero(t, w.refused, name)
			w.mu.Lock()
			w.skew, w.end = step, w.end.Add(step)
			w.mu.Unlock()
			hurry(t, []*mid.Client{c}, 8, 4*time.Minute) // in which the client finds out
			w.mu.Lock()
			w.served, w.refused = 0, 0
			w.mu.Unlock()
			hurry(t, []*mid.Client{c}, 8, 10*time.Minute)
			require.Zero(t, w.refused, name)
			require.GreaterOrEqual(t, w.served, 180, name)
		})
	}
}
