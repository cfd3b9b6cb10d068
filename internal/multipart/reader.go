package multipart

import (
	"errors"
	"fmt"
	"io"
)

// reader is the body of one attempt.
type reader struct {
	body *Body
	done chan struct{} // closed by Close, under body.mu

	head, tail []byte // what is left of them
	sent       int64  // how many of the file's bytes were handed out
	ended      bool   // the file is complete
	err        error  // the file's failure, for good
	probe      [1]byte
}

// Read implements [io.Reader]. A failure of the file is what Body.Err tells,
// too.
func (r *reader) Read(p []byte) (int, error) {
	switch {
	case r.isClosed():
		return 0, errClosed
	case len(p) == 0:
		return 0, nil
	case len(r.head) > 0:
		n := copy(p, r.head)
		r.head = r.head[n:]
		return n, nil
	}
	if !r.ended {
		if n, err := r.readFile(p); n > 0 || err != nil || !r.ended {
			return n, err
		}
	}
	if len(r.tail) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.tail)
	r.tail = r.tail[n:]
	return n, nil
}

// Close makes all further reads fail. It does not wait for one that is under
// way, nor does it close the file.
func (r *reader) Close() error {
	b := r.body
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, open := b.readers[r]; open {
		delete(b.readers, r)
		close(r.done)
	}
	return nil
}

func (r *reader) isClosed() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

// readFile reads from the file into p, once.
func (r *reader) readFile(p []byte) (int, error) {
	b := r.body
	select {
	case b.turn <- struct{}{}:
	case <-r.done:
		return 0, errClosed
	}
	defer b.release()
	if r.isClosed() {
		return 0, errClosed
	}
	if r.err != nil {
		return 0, r.err
	}
	if err := b.lend(r); err != nil {
		return 0, r.fail(err)
	}
	if b.file.Size > 0 {
		if left := b.file.Size - r.sent; left == 0 {
			p = r.probe[:] // one byte more would be one too many
		} else if left < int64(len(p)) {
			p = p[:left]
		}
	}
	n, err := b.read(p, r.sent)
	return r.took(n, err)
}

// took accounts for what a read of the file has returned.
func (r *reader) took(n int, err error) (int, error) {
	size := r.body.file.Size
	if n > 0 {
		r.body.used = true
	}
	if r.isClosed() {
		return 0, errClosed
	}
	if n > 0 && size > 0 && r.sent == size {
		return 0, r.fail(fmt.Errorf("the file is more than %d bytes, its Size says %d", size, size))
	}
	if n > 0 {
		r.sent += int64(n)
		r.report()
	}
	switch {
	case err == nil:
		return n, nil
	case !errors.Is(err, io.EOF):
		return n, r.fail(fileError("read", err))
	case r.sent < size:
		return n, r.fail(fmt.Errorf("the file is %d bytes, its Size says %d", r.sent, size))
	}
	r.ended = true
	return n, nil
}

func (r *reader) report() {
	b := r.body
	if b.file.Progress == nil {
		return
	}
	total := b.file.Size
	if total == 0 {
		total = -1
	}
	b.reporting <- struct{}{}
	defer func() { <-b.reporting }()
	if !r.isClosed() {
		b.file.Progress(r.sent, total)
	}
}

// fail makes err the end of the attempt. What befalls an attempt that was
// closed or has lost the file is not the file's own failure.
func (r *reader) fail(err error) error {
	r.err = err
	b := r.body
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, open := b.readers[r]; open && !errors.Is(err, errClosed) {
		b.err = err
	}
	return err
}
