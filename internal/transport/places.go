package transport

import (
	"context"
	"slices"
	"sync"
)

// Places are the places in the quota whose calls wait for a token. A token request
// takes one of them, or else waits in the limiter's queue, and takes the first that a
// call offers meanwhile. The latest call loses its place first: a call that had its
// turn earlier gets the place of one that comes after it.
type Places struct {
	// Lanes says that the limiter serves those first that are [Ahead]. What a call
	// gives up is then the next one's of them, and otherwise anyone's.
	Lanes bool

	mu      sync.Mutex
	idle    []*Call // with a place; each knows its index
	without []*Call // whose place a token request has taken
	queued  []*tokenTurn
	earlier int // calls in the queue that had their turn
}

// tokenTurn is the turn of a token request that waits in the limiter's queue.
type tokenTurn struct {
	leave context.CancelFunc
	taken bool // a call's place
}

// offer lends the call's place to a token request. If it reports true, the call must
// withdraw. It reports false if a call that had its turn earlier is waiting for a
// place already; the call must then give up its own.
func (p *Places) offer(call *Call) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case len(p.queued) > 0:
		first := p.queued[0]
		p.queued = p.queued[1:]
		first.taken = true
		first.leave()
	case p.Lanes && p.earlier > 0 && !call.ahead:
		return false
	case len(p.without) == 0:
		p.add(call)
		return true
	default:
		p.add(p.without[0])
		p.without = p.without[1:]
	}
	p.without = append(p.without, call)
	call.place = -1
	return true
}

// withdraw ends an offer. It reports whether the call has a place.
func (p *Places) withdraw(call *Call) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if call.place < 0 {
		i := slices.Index(p.without, call)
		p.without = slices.Delete(p.without, i, i+1)
		return false
	}
	p.remove(call.place)
	return true
}

// borrow takes the place of the latest call that offers one. Without one, it returns
// a turn: the token request must wait for a place in the limiter's queue, until the
// turn has it leave, and end the turn then.
func (p *Places) borrow(leave context.CancelFunc) *tokenTurn {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) == 0 {
		turn := &tokenTurn{leave: leave}
		p.queued = append(p.queued, turn)
		return turn
	}
	last := p.idle[len(p.idle)-1]
	p.remove(last.place)
	p.without = append(p.without, last)
	return nil
}

// end ends a turn. It reports whether the token request has taken a call's place.
func (p *Places) end(turn *tokenTurn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.queued, turn); i >= 0 {
		p.queued = slices.Delete(p.queued, i, i+1)
	}
	return turn.taken
}

// wait counts a call that had its turn among those that wait for another.
func (p *Places) wait(count int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.earlier += count
}

func (p *Places) add(call *Call) {
	call.place = len(p.idle)
	p.idle = append(p.idle, call)
}

// remove takes the place at an index out, and puts the last in its stead.
func (p *Places) remove(i int) {
	last := len(p.idle) - 1
	p.idle[i].place = -1
	if i != last {
		p.idle[i] = p.idle[last]
		p.idle[i].place = i
	}
	p.idle[last] = nil
	p.idle = p.idle[:last]
}
