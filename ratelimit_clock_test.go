package mid_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// A clock that is set does harm for a few windows, not for the client's life:
// the server's account of the old time is forgotten.
func TestClockThatIsSet(t *testing.T) {
	for name, step := range map[string]time.Duration{"a little": -3 * time.Second, "much": -30 * time.Second, "ahead": 20 * time.Second, "an hour": -time.Hour} {
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

// A step that no clock's quirk explains is believed at once.
func TestClockThatIsSetByAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &window{limit: 20, length: time.Minute, latency: 100 * time.Millisecond}
		c := (&api{handle: w.handle}).client(t, staticToken())
		hurry(t, []*mid.Client{c}, 8, 3*time.Minute)
		w.mu.Lock()
		w.skew, w.end = -time.Hour, w.end.Add(-time.Hour)
		w.mu.Unlock()
		hurry(t, []*mid.Client{c}, 8, 5*time.Minute)
		require.Zero(t, w.refused)
	})
}

// A Date that is none is as good as no Date, however often it comes: the server's
// clock is then taken to be the client's.
func TestDateThatIsNone(t *testing.T) {
	for _, date := range []string{"0", "", "yesterday"} {
		synctest.Test(t, func(t *testing.T) {
			left := 3
			a := &api{handle: func(*http.Request) (*http.Response, error) {
				left = (left + 2) % 3 // two may go, one, none
				resp := answer(200, ok(pendingSession), limits(3, left, time.Now().Add(30*time.Second))...)
				resp.Header.Set("Date", date)
				return resp, nil
			}}
			c := a.client(t, staticToken())
			for range 60 {
				start := time.Now()
				require.NoError(t, look(t.Context(), c), date)
				require.LessOrEqual(t, time.Since(start), 32*time.Second, date)
			}
		})
	}
}

// An answer that was slow on its way does not put the window's end off: the
// answers before it know the clock better.
func TestSlowAnswerDoesNotPutTheWindowsEndOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reset := time.Now().Add(30 * time.Second)
		slow := func() (*http.Response, error) {
			resp := answer(200, ok(pendingSession), limits(3, 0, reset)...)
			time.Sleep(5 * time.Second)
			return resp, nil
		}
		a := &api{handle: answers(status(200, ok(pendingSession), limits(3, 1, reset)...), slow, status(200, ok(pendingSession)))}
		c := a.client(t, staticToken())
		for range 3 {
			require.NoError(t, look(t.Context(), c))
		}
		require.WithinDuration(t, reset, last(a.sent()).At, 2*time.Second)
	})
}
