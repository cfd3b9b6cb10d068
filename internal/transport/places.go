package transport

import (
	"slices"
	"sync"
)

// Places are the places in the quota whose calls wait for a token. A token request
// takes one of them, or else waits in the limiter's queue. While one waits there,
// no call keeps a place. The latest call loses its place first: a call that had its
// turn earlier gets the place of one that comes after it.
type Places struct {
	mu      sync.Mutex
	idle    []*Call // with a place; each knows its index
	without []*Call // whose place a token request has taken
	tokens  int     // token requests in the queue
	earlier int     // calls in the queue that had their turn
}

// offer lends the call's place to the next token request. If it reports true, the
// call must withdraw. It reports false if a token request, or a call that had its
// turn earlier, is waiting for a place already; the call must then give up its own.
func (p *Places) offer(call *Call) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tokens > 0 || p.earlier > 0 && !call.ahead {
		return false
	}
	if len(p.without) == 0 {
		p.add(call)
		return true
	}
	p.add(p.without[0])
	p.without = append(p.without[1:], call)
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

// borrow takes the place of the latest call that offers one. If it reports
// false, the token request must wait for a place, with a count in tokens.
func (p *Places) borrow() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) == 0 {
		p.tokens++
		return false
	}
	last := p.idle[len(p.idle)-1]
	p.remove(last.place)
	p.without = append(p.without, last)
	return true
}

// served ends the wait of a token request for a place.
func (p *Places) served() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tokens--
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
