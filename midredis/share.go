package midredis

import (
	"time"

	"github.com/mobid-io/mid-go"
)

// share is the part of the plan that a process has while Redis is gone.
type share struct {
	processes int // that shared the plan last
	next      time.Time
}

// unknownProcesses is how many are assumed if Redis was never there.
const unknownProcesses = 4

// slot returns when one more permit may be used, with n outstanding, in a window
// of the server's. The plan's bucket has no burst: what was in it may have been
// used by any process.
func (s *share) slot(interval time.Duration, window mid.RateLimit, n int, now time.Time) time.Time {
	s.processes = max(s.processes, 1)
	if s.next.Before(now) {
		s.next = now
	}
	if window.Remaining/s.processes-n <= 0 && window.Reset.After(s.next) {
		s.next = window.Reset
	}
	at := s.next
	s.next = s.next.Add(time.Duration(s.processes) * interval)
	return at
}
