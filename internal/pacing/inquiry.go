package pacing

import "time"

// inquiry lets few requests go while nothing is known of the present window, so
// that their answers report the quota before it is used up. If the first answer is
// slow, or does not come, more and more may go: twice as many for each second, and
// for each request that failed.
type inquiry struct {
	since  time.Time
	left   int // what was left of the window before: it may go in any case
	sent   int
	failed int
}

const (
	doublingTime  = time.Second
	mostDoublings = 20
)

// room is how many more may go. limit is what a window allows, or zero; those in
// flight may be of this one, whenever they left.
func (i *inquiry) room(limit, inFlight int, now time.Time) int {
	room := max(i.left, 1)<<min(i.doublings(now)+i.failed, mostDoublings) - i.sent
	if limit > 0 {
		room = min(room, limit-i.sent, max(limit-inFlight, 1-i.sent))
	}
	return room
}

func (i *inquiry) doublings(now time.Time) int {
	return int(min(max(now.Sub(i.since), 0)/doublingTime, mostDoublings))
}

// more is when more may go than now.
func (i *inquiry) more(now time.Time) time.Time {
	return i.since.Add(max(now.Sub(i.since), 0).Truncate(doublingTime) + doublingTime)
}
