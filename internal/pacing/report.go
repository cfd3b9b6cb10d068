package pacing

import "time"

// Observe notes how a request ended that Take has counted. It reports whether
// those who wait may have to wait longer than they had to.
func (w *Window) Observe(o Outcome, now time.Time) (later bool) {
	if !o.Sent {
		w.back()
		return false
	}
	var date time.Time
	var set bool
	if o.Quota != (Quota{}) {
		date, set = w.clock.observe(o.Date, now)
	}
	before, reset := w.state, w.quota.Reset
	w.inFlight--
	switch {
	case set:
		w.date, w.passed = time.Time{}, w.inFlight
		w.ask(now, 0)
	case w.passed > 0:
		w.passed--
	case o.Quota != (Quota{}) && o.believable(date):
		w.report(o, date, now)
	default:
		w.unreported(o, now)
	}
	return w.state != before || !w.quota.Reset.Equal(reset)
}

// back takes back what Take counted, for a request that was not sent.
func (w *Window) back() {
	w.inFlight--
	w.share.ours--
	if w.state == asking {
		w.inquiry.sent = max(w.inquiry.sent-1, 0)
		w.inquiry.failed++
	}
}

// unreported notes a request of which no answer reports anything.
func (w *Window) unreported(o Outcome, now time.Time) {
	switch {
	case o.RetryAfter > 0:
		w.ask(now.Add(o.RetryAfter), 0)
	case w.state == asking && o.Answered:
		w.state = silent
	case w.state == asking:
		w.inquiry.failed++
	case w.state == refilling: // the server may have counted it
		w.refill.take(1, now)
	case w.state == counting:
		w.lost++
	}
	if w.state == silent && o.Quota.Limit > 0 && o.Quota.Remaining <= o.Quota.Limit {
		w.quota = o.Quota // to be shown, though it paces nothing
	}
}

// report notes a quota that an answer reports; date is when that was, by the
// server's clock.
func (w *Window) report(o Outcome, date, now time.Time) {
	q := o.Quota
	if w.state == refilling && o.RetryAfter > 0 && !o.refillsBeforeReset(date) {
		w.refill.trusted = now.Add(distrustFor)
	}
	if q.Limit != w.limit || w.date.IsZero() {
		// Another plan, of which nothing is known yet.
		w.limit, w.length = q.Limit, 0
		w.refill = refill{trusted: w.refill.trusted}
		w.state, w.quota = counting, Quota{}
	}
	if w.stale(q, date) {
		switch {
		case w.state == asking:
			w.inquiry.failed++
		case w.clock.behind > 0: // it may be of this window, by a clock that was set
			w.lost++
		}
		return
	}
	w.refill.note(q, date)
	if o.RetryAfter > 0 {
		w.refill.refused(now)
	} else {
		w.refill.granted(now)
	}
	w.length = max(w.length, min(q.Reset.Sub(date), longestWindow), time.Second)
	w.heard = now
	if q.Reset.Equal(w.quota.Reset) && w.state != silent {
		w.same(q, date, now)
	} else {
		w.other(o, date, now)
	}
	w.share.see(q.Limit - q.Remaining)
}

// stale reports whether a report was overtaken by one of a later window. One
// that was made later all the same is of a server that has changed its mind.
func (w *Window) stale(q Quota, date time.Time) bool {
	return w.state != silent && q.Reset.Before(w.quota.Reset) && !date.After(w.date)
}

// same notes one more report of the same Reset.
func (w *Window) same(q Quota, date, now time.Time) {
	if date.After(w.date) {
		w.date = date
	}
	// Reports overtake each other: the lowest is the latest. What it has less may
	// be what was lost.
	if less := w.quota.Remaining - q.Remaining; less > 0 {
		w.quota.Remaining, w.lost = q.Remaining, max(w.lost-less, 0)
	}
	if w.state != refilling || !w.refill.fits(now) {
		w.state = counting
		return
	}
	w.refill.spend(q.Remaining, now)
}

// usedAtOnce reports whether half of what should be a new window is gone already.
// It is a bucket that others use all the time. If it is not, a refusal soon shows it.
func (w *Window) usedAtOnce(q Quota, date time.Time) bool {
	begun := w.state == asking && !w.quota.Reset.IsZero() && date.Before(w.quota.Reset.Add(2*time.Second))
	return begun && q.Limit-q.Remaining-w.inquiry.sent > q.Limit/2
}

// other notes the report of another Reset.
func (w *Window) other(o Outcome, date, now time.Time) {
	q := o.Quota
	// The time at which the last one was to end may be rounded up to a second.
	early := q.Reset.After(w.quota.Reset) && date.Before(w.quota.Reset.Add(-time.Second))
	bucket := w.state == refilling || w.state == counting && early || w.usedAtOnce(q, date) || o.refillsBeforeReset(date)
	w.quota, w.lost, w.date = q, 0, date
	if bucket && w.refill.fits(now) {
		w.state = refilling
		w.refill.fill(q, now)
		return
	}
	w.state = counting
	w.share.begin(w.inFlight + 1)
}
