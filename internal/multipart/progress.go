package multipart

// progress calls the file's Progress, one call at a time.
type progress struct {
	call  func(sent, total int64) // nil: not called
	total int64
	busy  baton // held while call runs
}

func newProgress(file File) *progress {
	total := file.Size
	if total == 0 {
		total = -1
	}
	return &progress{file.Progress, total, newBaton()}
}

// report is for a reader that has handed out sent bytes, unless the reader is
// closed first.
func (p *progress) report(sent int64, closed <-chan struct{}) {
	if p.call == nil || !p.busy.acquire(closed) {
		return
	}
	defer p.busy.release()
	if !isClosed(closed) {
		p.call(sent, p.total)
	}
}

// settle waits for a call that is under way, no longer than until giveUp is
// closed. All readers are closed, so that there is no further call.
func (p *progress) settle(giveUp <-chan struct{}) {
	if p.busy.acquire(giveUp) {
		p.busy.release()
	}
}
