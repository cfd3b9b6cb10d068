package pacing

import "time"

// Plan is what a quota is known to be: so many requests a minute, and so many at
// once after a pause.
type Plan struct {
	PerMinute, Burst int
}

// bucket is full at first.
func (p Plan) bucket(now time.Time) *bucket {
	perMinute := time.Duration(p.PerMinute)
	return &bucket{size: p.Burst, interval: (time.Minute + perMinute - 1) / perMinute, full: now}
}
