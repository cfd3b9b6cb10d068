package midweb

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// TestFlood has strangers begin 1,000 sign-ins a second for a minute, or a tenth
// of that where the race detector makes each one costly. People
// sign in meanwhile, each within two seconds of waiting, and the site's other
// calls go on as if nothing were.
func TestFlood(t *testing.T) {
	for name, test := range map[string]struct {
		length   time.Duration // how long people come; the strangers begin earlier and stop later
		stranger func(v *visitor, i int)
	}{
		"from one address":                 {10 * time.Second, func(v *visitor, _ int) { v.address = "198.51.100.7:1" }},
		"from one IPv6 network":            {10 * time.Second, func(v *visitor, i int) { v.address = fmt.Sprintf("[2001:db8::%x]:1", i) }},
		"from as many addresses as starts": {50 * time.Second, func(v *visitor, i int) { v.address = fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&255, i&255) }},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(c *Config) {
				c.CallbackURL = "https://shop.example/mid/events"
			}, func(t *testing.T, w *world) {
				flood, cancel := context.WithTimeout(t.Context(), test.length+10*time.Second)
				defer cancel()
				var all sync.WaitGroup
				all.Go(func() {
					v := w.visitor()
					for i := 0; flood.Err() == nil; i++ {
						test.stranger(v, i)
						clear(v.cookies)
						v.do(http.MethodPost, "", nil)
						time.Sleep(floodPause)
					}
				})
				all.Go(func() { w.otherCalls(flood, t) })
				var mu sync.Mutex
				var waits []time.Duration
				people := int(test.length / (2 * time.Second))
				for i := range people {
					time.Sleep(2 * time.Second)
					all.Go(func() {
						v := w.visitor()
						v.address = fmt.Sprintf("192.0.2.%d:1", i)
						wait := w.person(t, v, "user_"+strconv.Itoa(i))
						mu.Lock()
						defer mu.Unlock()
						waits = append(waits, wait)
					})
				}
				all.Wait()
				assert.Len(t, w.in, people)
				assert.Less(t, slices.Max(waits), 2*time.Second)
				t.Logf("%d sessions, %d requests in all, the longest wait %v", len(w.AuthSessions()), len(w.Requests()), slices.Max(waits))
			})
		})
	}
}

// otherCalls are those of the site that have nothing to do with signing in.
func (w *world) otherCalls(ctx context.Context, t *testing.T) {
	for ctx.Err() == nil {
		began := time.Now()
		_, err := w.client.Authentication.GetSession(t.Context(), "sess_unknown")
		assert.ErrorIs(t, err, mid.ErrNotFound)
		assert.Less(t, time.Since(began), time.Second)
		time.Sleep(200 * time.Millisecond)
	}
}

// person signs in, and returns how long the site had them wait in all.
func (w *world) person(t *testing.T, v *visitor, user string) (waited time.Duration) {
	began := time.Now()
	p := v.do(http.MethodPost, "", nil)
	for p.status == http.StatusTooManyRequests {
		require.Less(t, time.Since(began), time.Minute)
		seconds, err := strconv.Atoi(p.find(t, `http-equiv="refresh" content="(\d+);url=again"`))
		require.NoError(t, err)
		assert.Equal(t, strconv.Itoa(seconds), p.header.Get("Retry-After"))
		time.Sleep(time.Duration(seconds) * time.Second)
		p = v.get("again")
	}
	require.Equal(t, http.StatusSeeOther, p.status)
	p = v.get("")
	tab := v.listen(p.find(t, `data-of="([^"]+)"`), waiting)
	session := p.find(t, `href="mid://auth\?session=([^"]+)"`)
	waited = time.Since(began)

	tab.want(waiting)
	time.Sleep(5 * time.Second) // for the phone
	began = time.Now()
	require.NoError(t, w.Approve(session, user))
	tab.want(approved)
	require.Equal(t, "/", v.get("finish").location)
	return waited + time.Since(began)
}

// What is braked says so kindly, and goes on by itself, to where the person
// wanted to.
func TestBusyPage(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		v := w.visitor()
		for p := (screen{}); p.status != http.StatusTooManyRequests; {
			p = v.do(http.MethodPost, "", map[string][]string{"next": {"/orders"}})
		}
		sessions := len(w.AuthSessions())
		assert.Equal(t, "./", v.get("again").location, "too soon")
		time.Sleep(time.Second)
		stranger := w.visitor()
		assert.Equal(t, "./", stranger.get("again").location, "a link is no turn")
		v.get("again")
		require.Len(t, w.AuthSessions(), sessions+1)
		p := v.get("")
		assert.Equal(t, waiting, p.state())
		assert.Equal(t, "/orders", p.find(t, `name="next" value="([^"]+)"`))
		copied := v.copy()
		copied.get("again")
		assert.Len(t, w.AuthSessions(), sessions+1)
	})
}

// MID's own refusal is as a brake's.
func TestBusyMID(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		v := w.visitor()
		v.start()
		w.SetQuota(0, 5*time.Second)
		_, err := w.client.Authentication.GetSession(t.Context(), "sess_unknown", mid.WithoutRetry())
		require.ErrorIs(t, err, mid.ErrRateLimited)
		time.Sleep(2 * stale) // the brake knows of no quota
		w.SetQuota(0, time.Minute)
		p := v.do(http.MethodPost, "", nil)
		assert.Equal(t, http.StatusTooManyRequests, p.status)
		assert.Equal(t, busy, p.state())
	})
}

// A stranger with many flows, each of which is real, can't have MID asked about
// them without end.
func TestFloodOfPages(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		var flows []*visitor
		for len(flows) < 150 {
			v := w.visitor()
			v.address = fmt.Sprintf("10.0.0.%d:1", len(flows)%50)
			if v.do(http.MethodPost, "", nil).status == http.StatusSeeOther {
				flows = append(flows, v)
			}
			time.Sleep(time.Second)
		}
		before := w.count(http.MethodGet, "/auth/sessions/")
		braked := 0
		for range 9 { // three minutes
			for _, v := range flows {
				if v.get("").status == http.StatusTooManyRequests {
					braked++
				}
			}
			time.Sleep(20 * time.Second)
		}
		assert.Positive(t, braked)
		// In a minute: 83 pages that are begun to be followed, and some looks of
		// each while it lingers.
		assert.Less(t, w.count(http.MethodGet, "/auth/sessions/")-before, 3*(83+250)+83)
	})
}
