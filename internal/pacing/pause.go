package pacing

import "time"

// pause is what a 429 asks for.
type pause struct {
	until time.Time // as it was asked for
	// resume is when requests go again. It is before until if that is too far
	// away to be believed: an answer then shows whether it was a mistake.
	resume time.Time
}

func (p *pause) on(now time.Time) bool { return now.Before(p.resume) }

// extend makes the pause last for d at least. Of a d that is longer than any
// published plan's window only patience is waited for. It reports whether the
// pause is longer than before by so much that it matters.
func (p *pause) extend(d, patience time.Duration, now time.Time) bool {
	believed := d
	if d > farReset {
		believed = min(d, patience)
	}
	if !p.on(now) {
		p.until = now
	}
	later := now.Add(d).Sub(p.until) >= time.Second
	p.until = latest(p.until, now.Add(d))
	p.resume = latest(p.resume, now.Add(believed))
	return later
}
