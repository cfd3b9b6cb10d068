package midtest

import (
	"sync"
	"time"
)

// counter is a way of counting requests: a [window] or a [bucket].
type counter interface {
	take(at time.Time) allowance
}

// quota counts the requests of a server.
type quota struct {
	mu      sync.Mutex
	counter counter
}

func (s *quota) take() allowance {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counter.take(time.Now())
}

// SetQuota allows limit requests in a window of time from now on, as
// [WithQuota] does. What was counted so far is forgotten, and a plan of
// [WithPlan] no longer holds.
func (s *quota) SetQuota(limit int, length time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counter = &window{limit: limit, length: length}
}
