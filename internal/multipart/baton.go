package multipart

// baton is held by one goroutine at a time, like a mutex. The wait for it can
// be given up, because its holder may be in a Read that hangs.
type baton chan struct{}

func newBaton() baton { return make(baton, 1) }

// acquire waits for the baton until giveUp is closed, and reports whether the
// caller holds it. If both happen at once, either may win.
func (b baton) acquire(giveUp <-chan struct{}) bool {
	select {
	case b <- struct{}{}:
		return true
	case <-giveUp:
		return false
	}
}

// tryAcquire is acquire without the wait.
func (b baton) tryAcquire() bool {
	select {
	case b <- struct{}{}:
		return true
	default:
		return false
	}
}

func (b baton) release() { <-b }

// isClosed reports whether a channel that is only ever closed is.
func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
