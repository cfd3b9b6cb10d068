package pacing

import (
	"net/http"
	"time"
)

// clock knows the server's clock by the Date of its answers. It runs on the
// local monotonic clock, so that setting the local time changes nothing.
//
// A Date is cut to whole seconds and took some time on its way, so that it shows
// less than the server's clock does. The greatest lead that was seen is the best
// bound of the true one, and a time that is made local by it is never early.
type clock struct {
	base time.Time // the local time that leads count from
	// The greatest lead in the present period and in the one before. Older ones
	// are forgotten, because a server's clock may be set.
	lead, before time.Duration
	period       time.Time // the beginning of the present one
	behind       int       // answers in a row whose lead was less by clockStep

	// The latest Date, as it came and parsed: it is the same for all answers of a
	// second.
	text string
	date time.Time
}

const (
	clockPeriod = time.Minute
	// clockStep, in clockAnswers answers in a row, shows a clock that was set. A
	// single answer may have been slow on its way.
	clockStep    = 10 * time.Second
	clockAnswers = 3
)

// observe notes an answer's Date and returns the server's time when it was made.
// It reports whether the server's clock has been set back. If the Date is absent or
// invalid, the server's clock is taken to be the local one.
func (c *clock) observe(text string, now time.Time) (date time.Time, set bool) {
	if text != c.text || c.date.IsZero() {
		c.text = text
		c.date, _ = http.ParseTime(text) // the zero time for an invalid date
	}
	date = c.date
	if date.IsZero() {
		date = now.Round(0)
	}
	if c.base.IsZero() {
		c.base, c.period = now, now
		c.lead = date.Sub(now.Round(0))
		c.before = c.lead
		return date, false
	}
	return date, c.note(date.Sub(c.base.Round(0))-now.Sub(c.base), now)
}

func (c *clock) note(lead time.Duration, now time.Time) (set bool) {
	if max(c.lead, c.before)-lead <= clockStep {
		c.behind = 0
	} else if c.behind++; c.behind >= clockAnswers {
		c.behind, c.lead, c.before, c.period = 0, lead, lead, now
		return true
	}
	if now.Sub(c.period) > clockPeriod {
		c.period, c.before, c.lead = now, c.lead, lead
	}
	c.lead = max(c.lead, lead)
	return false
}

// local is when the server's clock shows t, or up to a second and the time of an
// answer on its way later.
func (c *clock) local(t time.Time) time.Time {
	return c.base.Add(t.Sub(c.base.Round(0)) - max(c.lead, c.before))
}
