package transport

import (
	"context"
	"slices"
	"sync"
	"time"
)

// lendAfter is how long a call keeps its place while a token request waits in the
// limiter's queue. A call that has a good token is sent sooner.
const lendAfter = 20 * time.Millisecond

// Places are the places in the quota whose calls wait for a token. A token request
// takes one of them, or else waits in the limiter's queue. While it waits there, it
// takes a place that has been on offer for [lendAfter]. The latest call loses its place
// first: a call that had its turn earlier gets the place of one that comes after it.
type Places struct {
	// Lanes says that the limiter serves requests first that are [Ahead]. A place that
	// a call gives up then goes to one of them, and otherwise to anyone.
	Lanes bool

	mu      sync.Mutex
	idle    []*Call // with a place; each knows its index
	without []*Call // whose place a token request has taken
	queued  []*tokenTurn
	lending bool // lend will be called
	earlier int  // calls in the queue that had their turn
	turns   int  // how many calls had one
}

// tokenTurn is the turn of a token request that waits in the limiter's queue.
type tokenTurn struct {
	request context.Context
	leave   context.CancelFunc
	taken   bool // a call's place
}

// offer lends the call's place to a token request. If it reports true, the call must
// withdraw. It reports false if a call that had its turn earlier is waiting for a
// place already; the call must then give up its own.
func (p *Places) offer(call *Call) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.Lanes && p.earlier > 0 && !call.ahead {
		return false
	}
	if !call.ahead {
		p.turns++
		call.turn = p.turns
	}
	if len(p.without) == 0 {
		p.add(call)
	} else {
		first := p.without[0]
		first.placed = call.placed
		p.add(first)
		p.without = append(p.without[1:], call)
		call.place = -1
	}
	p.lendLater()
	return true
}

// lendLater has lend called if there may be a place for a token request then.
func (p *Places) lendLater() {
	if !p.lending && len(p.queued) > 0 && len(p.idle) > 0 {
		p.lending = true
		time.AfterFunc(lendAfter, p.lend)
	}
}

// lend gives the places that have been on offer for long to the token requests in the
// queue.
func (p *Places) lend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lending = false
	offered := time.Now().Add(-lendAfter)
	for len(p.queued) > 0 {
		first := p.queued[0]
		wanted := first.request.Err() == nil
		if wanted && !p.take(offered) {
			break
		}
		first.taken = wanted
		first.leave()
		p.queued = p.queued[1:]
	}
	p.lendLater()
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
func (p *Places) borrow(request context.Context, leave context.CancelFunc) *tokenTurn {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.take(time.Now()) {
		return nil
	}
	turn := &tokenTurn{request: request, leave: leave}
	p.queued = append(p.queued, turn)
	return turn
}

// take takes the place of the latest call that has had one since a time. It reports
// whether there is one.
func (p *Places) take(since time.Time) bool {
	var latest *Call
	for _, call := range p.idle {
		if !call.placed.After(since) && (latest == nil || call.turn > latest.turn) {
			latest = call
		}
	}
	if latest == nil {
		return false
	}
	p.remove(latest.place)
	p.without = append(p.without, latest)
	return true
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
