package midtest

import (
	"sync"
	"time"
)

// timers owns everything that happens later: expiries, automatic completion
// and deliveries.
type timers struct {
	mu      sync.Mutex
	pending map[*later]struct{}
	running sync.WaitGroup
	closed  bool
}

// later is one thing to do. Its timer is guarded by timers.mu.
type later struct{ timer *time.Timer }

func newTimers() *timers { return &timers{pending: map[*later]struct{}{}} }

// after runs f in its own goroutine once d has passed, unless stop is called
// or the timers are closed before.
func (t *timers) after(d time.Duration, f func()) (stop func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return func() {}
	}
	l := &later{}
	l.timer = time.AfterFunc(d, func() {
		if t.begin(l) {
			defer t.running.Done()
			f()
		}
	})
	t.pending[l] = struct{}{}
	return func() { t.remove(l) }
}

// begin reports whether l is still wanted, and if so counts it as running.
func (t *timers) begin(l *later) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, wanted := t.pending[l]; !wanted {
		return false
	}
	delete(t.pending, l)
	t.running.Add(1)
	return true
}

func (t *timers) remove(l *later) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l.timer.Stop()
	delete(t.pending, l)
}

// close stops what has not begun and waits for what has.
func (t *timers) close() {
	t.mu.Lock()
	t.closed = true
	for l := range t.pending {
		l.timer.Stop()
	}
	clear(t.pending)
	t.mu.Unlock()
	t.running.Wait()
}
