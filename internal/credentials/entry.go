package credentials

import (
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"
)

const (
	// A token is renewed when a quarter of its life is left, but not earlier
	// than renewAhead before its end.
	renewAhead = 5 * time.Minute
	// It is not used in the last tenth of its life, or in the last spare if that is
	// less, because it would expire on its way.
	spare = 10 * time.Second
	// After an early renewal failed, the next is tried after a tenth of the
	// time left, but at least renewPause.
	renewPause = time.Second
)

// entry is a token with the times that follow from its expiry; they are zero
// for a token that does not expire.
type entry struct {
	token *oauth2.Token
	renew atomic.Pointer[time.Time] // renew in the background from here on; never if nil
	stale time.Time                 // do not use from here on
}

// newEntry sets the times on the wall clock: the monotonic one stands still
// while a machine sleeps, so a token would seem good that expired meanwhile.
func newEntry(t *oauth2.Token, now time.Time) *entry {
	e := &entry{token: t}
	if !t.Expiry.IsZero() {
		expiry := t.Expiry.Round(0)
		life := expiry.Sub(now)
		renew := expiry.Add(-min(renewAhead, life/4))
		e.renew.Store(&renew)
		e.stale = expiry.Add(-min(spare, life/10))
	}
	return e
}

// usable reports whether the token is still good; a nil entry has no token.
func (e *entry) usable(now time.Time) bool {
	return e != nil && (e.stale.IsZero() || now.Before(e.stale))
}

// due reports, to one caller only, that the token is to be renewed.
func (e *entry) due(now time.Time) bool {
	renew := e.renew.Load()
	return renew != nil && !now.Before(*renew) && e.renew.CompareAndSwap(renew, nil)
}

// failed puts the next renewal off: without a pause every call would start one.
func (e *entry) failed(now time.Time) {
	next := now.Round(0).Add(max(e.stale.Sub(now)/10, renewPause))
	e.renew.Store(&next)
}
