package midweb

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

func withEvents(c *Config) { c.CallbackURL = "https://shop.example/mid/events" }

func TestNoLooksWhileNoOneLooks(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		v := w.visitor()
		v.do(http.MethodPost, "", nil)
		time.Sleep(time.Minute)
		assert.Zero(t, w.count(http.MethodGet, "/auth/sessions/"), "of a start that no one looks at")

		tab := v.page()
		tab.want(waiting)
		time.Sleep(30 * time.Second)
		assert.InDelta(t, 16, w.count(http.MethodGet, "/auth/sessions/"), 4)
		tab.close()
		time.Sleep(2 * linger)
		looks := w.count(http.MethodGet, "/auth/sessions/")
		time.Sleep(3 * time.Minute)
		assert.Equal(t, looks, w.count(http.MethodGet, "/auth/sessions/"))
		w.watches.mu.Lock()
		defer w.watches.mu.Unlock()
		assert.Empty(t, w.watches.byID)
	})
}

func TestOnePollerForAllTabs(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		v := w.visitor()
		session := v.start()
		tabs := []*tab{v.page(), v.page(), v.page(), v.page()}
		for _, tab := range tabs {
			tab.want(waiting)
		}
		time.Sleep(30 * time.Second)
		assert.InDelta(t, 16, w.count(http.MethodGet, "/auth/sessions/"), 4)
		of := v.get("").find(t, `data-of="([^"]+)"`)
		assert.Equal(t, http.StatusTooManyRequests, v.get("events?seen=waiting&of="+of).status, "a browser has six connections")
		require.NoError(t, w.Approve(session, "user_ada_marsh"))
		for _, tab := range tabs {
			tab.want(approved, "")
		}
		for range tabs {
			assert.Equal(t, "/", v.get("finish").location)
		}
		assert.Equal(t, []string{"user_ada_marsh"}, w.in)
	})
}

// The event brings the news: the poller would look seconds later.
func TestEventsWakeThePoller(t *testing.T) {
	inWorld(t, func(c *Config) {
		withEvents(c)
		c.Poll = mid.PollOptions{MinInterval: time.Hour, MaxInterval: time.Hour}
	}, func(t *testing.T, w *world) {
		v := w.visitor()
		session := v.start()
		tab := v.page()
		tab.want(waiting)
		time.Sleep(30 * time.Second)
		began := time.Now()
		require.NoError(t, w.Approve(session, "user_noor_haddad"))
		tab.want(approved)
		assert.Less(t, time.Since(began), time.Second)
		assert.LessOrEqual(t, w.count(http.MethodGet, "/auth/sessions/"), 2)
	})
}

// Many pages share what the quota leaves for looks.
func TestManyPagesLookLessOften(t *testing.T) {
	inWorld(t, func(c *Config) { c.Brake.PerAddress = -1 }, func(t *testing.T, w *world) {
		for range 40 {
			v := w.visitor()
			v.start()
			v.page().want(waiting)
		}
		before := w.count(http.MethodGet, "/auth/sessions/")
		time.Sleep(time.Minute)
		assert.InDelta(t, 250, w.count(http.MethodGet, "/auth/sessions/")-before, 50)
	})
}

func TestOutage(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		v := w.visitor()
		session := v.start()
		of := v.get("").find(t, `data-of="([^"]+)"`)
		w.Inject(midtest.Fault{Path: "/auth/sessions/" + session, Status: http.StatusServiceUnavailable, Times: 40})
		tab := v.listen(of, waiting)
		tab.want(waiting)
		time.Sleep(40 * time.Second)
		v.listen(of, waiting).want(waiting)
		require.NoError(t, w.Approve(session, "user_ada_marsh"))
		v.listen(of, waiting).want(waiting, approved)
	})
}

// A page that is opened while MID is away comes again by itself.
func TestPageWithoutMID(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		v := w.visitor()
		session := v.start()
		other := w.process(nil) // one that has not seen the session
		defer other.Close()
		v.site = other
		w.Inject(midtest.Fault{Path: "/auth/sessions/" + session, Status: http.StatusServiceUnavailable, Times: 40})
		p := v.get("")
		assert.Equal(t, http.StatusServiceUnavailable, p.status)
		assert.Equal(t, busy, p.state())
		p.find(t, `http-equiv="refresh" content="10;url=(finish)"`)
		time.Sleep(2 * time.Minute)
		assert.Equal(t, waiting, v.get("finish").state())
	})
}
