package pacing

import (
	"math"
	"net/http"
	"time"
)

// lead is how far the clock of a simulated server is ahead: who takes Reset for
// local time fails.
const lead = 37*time.Second + 400*time.Millisecond

// counter is a server's way of counting requests, by its own clock.
type counter interface {
	take(now time.Time) (granted bool, q Quota, retryAfter time.Duration)
	// perfect is how many requests a perfect client gets through in d, if its
	// callers can't make more than speed of them a second.
	perfect(start time.Time, d time.Duration, speed float64) float64
}

// tokens is a server that keeps a plan's bucket.
type tokens struct {
	plan Plan
	full time.Time
}

func (s *tokens) take(now time.Time) (bool, Quota, time.Duration) {
	interval := time.Minute / time.Duration(s.plan.PerMinute)
	s.full = latest(s.full, now)
	room := time.Duration(s.plan.Burst)*interval - s.full.Sub(now)
	granted := room >= interval
	if granted {
		s.full = s.full.Add(interval)
		room -= interval
	}
	return granted, Quota{Limit: s.plan.Burst, Remaining: int(room / interval), Reset: s.full}, interval - room
}

func (s *tokens) perfect(_ time.Time, d time.Duration, speed float64) float64 {
	return min(float64(s.plan.Burst)+math.Floor(d.Minutes()*float64(s.plan.PerMinute)), d.Seconds()*speed)
}

// windows is a server that counts in windows: of whole minutes, or such that
// begin with the first request after the last one's end.
type windows struct {
	limit  int
	length time.Duration
	floats bool
	used   int
	ends   time.Time
}

func (s *windows) end(now time.Time) time.Time {
	if s.floats {
		return now.Add(s.length)
	}
	return now.Truncate(s.length).Add(s.length)
}

func (s *windows) take(now time.Time) (bool, Quota, time.Duration) {
	if !now.Before(s.ends) {
		s.used, s.ends = 0, s.end(now)
	}
	granted := s.used < s.limit
	if granted {
		s.used++
	}
	return granted, Quota{Limit: s.limit, Remaining: s.limit - s.used, Reset: s.ends}, s.ends.Sub(now)
}

func (s *windows) perfect(start time.Time, d time.Duration, speed float64) (sum float64) {
	for end := start.Add(d); start.Before(end); start = s.end(start) {
		open := min(s.end(start).Sub(start), end.Sub(start))
		sum += min(float64(s.limit), math.Floor(open.Seconds()*speed)+1)
	}
	return sum
}

// answered is a counter's answer in the contract's words: whole seconds, rounded
// up. The time of its Date is added by at.
func answered(granted bool, q Quota, retryAfter time.Duration) Outcome {
	o := Outcome{Sent: true, Answered: true, Quota: q}
	o.Quota.Reset = time.Unix(q.Reset.Add(time.Second-1).Unix(), 0)
	if !granted {
		o.RetryAfter = max((retryAfter + time.Second - 1).Truncate(time.Second), time.Second)
	}
	return o
}

func (o Outcome) at(now time.Time) Outcome {
	o.Date = now.UTC().Format(http.TimeFormat)
	return o
}
