package midredis

import (
	"slices"
	"time"
)

// permit lets one request go.
type permit struct {
	at    time.Time // from when on
	local bool      // of the process' own share: Redis does not know it
}

// permits are those in hand, the earliest first.
type permits []permit

func (ps *permits) add(p permit) {
	i, _ := slices.BinarySearchFunc(*ps, p, func(a, b permit) int { return a.at.Compare(b.at) })
	*ps = slices.Insert(*ps, i, p)
}

// first and last return and remove a permit. There must be one.
func (ps *permits) first() permit {
	p := (*ps)[0]
	*ps = (*ps)[1:]
	return p
}

func (ps *permits) last() permit {
	end := len(*ps) - 1
	p := (*ps)[end]
	*ps = (*ps)[:end]
	return p
}

// until returns how long it takes until all may be used.
func (ps permits) until(now time.Time) time.Duration {
	if len(ps) == 0 {
		return 0
	}
	return max(ps[len(ps)-1].at.Sub(now), 0)
}

// shared returns those that Redis knows.
func (ps permits) shared() permits {
	return slices.DeleteFunc(ps, func(p permit) bool { return p.local })
}
