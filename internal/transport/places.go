package transport

import "sync"

// Places are the places in the quota whose calls wait for a token. A token
// request takes one of them, or else waits in the limiter's queue; while one
// waits there, no call keeps a place.
type Places struct {
	mu      sync.Mutex
	idle    []*Call // each knows its index
	waiting int     // token requests in the queue
}

// offer lends the call's place to the next token request. It reports false if
// one is waiting for a place already: the call must give its own back.
func (p *Places) offer(call *Call) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting > 0 {
		return false
	}
	call.place = len(p.idle)
	p.idle = append(p.idle, call)
	return true
}

// withdraw ends an offer. It reports whether the call still has its place.
func (p *Places) withdraw(call *Call) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if call.place < 0 {
		return false
	}
	p.remove(call.place)
	return true
}

// borrow takes the place of the latest call that offers one. If it reports
// false, the token request must wait for a place and then call served.
func (p *Places) borrow() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) == 0 {
		p.waiting++
		return false
	}
	p.remove(len(p.idle) - 1)
	return true
}

// served ends the wait of a token request for a place.
func (p *Places) served() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting--
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
