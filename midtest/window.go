package midtest

import "time"

// window counts requests in fixed windows of time. A window begins with the
// first request after the end of the last one.
type window struct {
	limit  int
	length time.Duration
	used   int
	ends   time.Time
}

func (w *window) take(at time.Time) allowance {
	if !at.Before(w.ends) {
		w.used, w.ends = 0, at.Add(w.length)
	}
	w.used++
	return allowance{
		granted:    w.used <= w.limit,
		limit:      max(w.limit, 0),
		remaining:  max(w.limit-w.used, 0),
		reset:      w.ends,
		retryAfter: w.ends.Sub(at),
	}
}
