package pacing

import "time"

// share is how much of a window this client has had, beside others that use the
// same quota without knowing of each other. So that each gets something, a client
// that has used up a window lets those that were late for it begin the next.
type share struct {
	ours   int
	others bool // some of the window was used by others
	alone  int  // windows in a row that only this client used
}

const (
	// yield is how long a client that has had a whole window lets others begin.
	yield = time.Second
	// yieldEvery is the number of windows after which others may begin one, even if
	// no other client has been seen: one that is always late is never seen.
	yieldEvery = 5
)

// begin begins a window in which some requests have been sent already.
func (s *share) begin(sent int) {
	s.alone++
	if s.others {
		s.alone = 0
	}
	s.ours, s.others = sent, false
}

// see notes how much of the window has been used by all.
func (s *share) see(used int) { s.others = s.others || used > s.ours }

// pause is how long to wait before a window is begun: the longer, the more this
// client has had of the last one.
func (s *share) pause(limit int) time.Duration {
	if limit == 0 || !s.others && s.alone%yieldEvery != 0 {
		return 0
	}
	return time.Duration(min(float64(s.ours)/float64(limit), 1) * float64(yield))
}
