package multipart

import (
	"errors"
	"fmt"
	"io"
	"sync"
)

var (
	errClosed = errors.New("the upload's body is closed")
	errTaken  = errors.New("a later attempt has taken the file")
)

// reader is the body of one attempt.
type reader struct {
	source   *source
	progress *progress

	head, tail []byte // what is left of them
	loan       int    // the source's; zero before the file
	sent       int64  // how many of the file's bytes were handed out
	ended      bool   // the file is complete
	err        error  // the end of the attempt, for good
	probe      [1]byte

	mu      sync.Mutex
	closed  chan struct{}
	failure error // the file's own, before the reader was closed
}

// Read implements [io.Reader].
func (r *reader) Read(p []byte) (int, error) {
	switch {
	case isClosed(r.closed):
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
	r.mu.Lock()
	defer r.mu.Unlock()
	if !isClosed(r.closed) {
		close(r.closed)
	}
	return nil
}

// fileFailure is what went wrong with the file itself while the reader was
// open; nil if nothing did.
func (r *reader) fileFailure() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failure
}

// readFile reads from the file into p, once.
func (r *reader) readFile(p []byte) (n int, err error) {
	if !r.source.acquire(r.closed) {
		return 0, errClosed
	}
	defer r.source.release()
	if r.err != nil {
		return 0, r.err
	}
	defer func() {
		if v := recover(); v != nil {
			n, err = 0, r.fail(&Panic{v})
		}
	}()
	if err := r.borrow(); err != nil {
		return 0, r.fail(err)
	}
	if size := r.source.file.Size; size > 0 {
		if left := size - r.sent; left == 0 {
			p = r.probe[:] // one byte more would be one too many
		} else if left < int64(len(p)) {
			p = p[:left]
		}
	}
	n, err = r.source.read(p, r.sent)
	return r.took(n, err)
}

// borrow makes the source ready for this reader.
func (r *reader) borrow() (err error) {
	switch r.loan {
	case 0:
		r.loan, err = r.source.lend()
		return err
	case r.source.loans:
		return nil
	}
	return errTaken
}

// took accounts for what a read of the file has returned.
func (r *reader) took(n int, err error) (int, error) {
	size := r.source.file.Size
	if isClosed(r.closed) {
		return 0, errClosed
	}
	if n > 0 && size > 0 && r.sent == size {
		return 0, r.fail(fmt.Errorf("the file is more than %d bytes, its Size says %d", size, size))
	}
	if n > 0 {
		r.sent += int64(n)
		r.progress.report(r.sent, r.closed)
	}
	switch {
	case err == nil:
		return n, nil
	case !errors.Is(err, io.EOF):
		return n, r.fail(err)
	case r.sent < size:
		return n, r.fail(fmt.Errorf("the file is %d bytes, its Size says %d", r.sent, size))
	}
	r.ended = true
	return n, nil
}

// fail makes err the end of the attempt. What befalls an attempt that is closed
// or has lost the file is not the file's own failure.
func (r *reader) fail(err error) error {
	r.err = err
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != errTaken && !isClosed(r.closed) { //nolint:errorlint // borrow's, as it is
		r.failure = err
	}
	return err
}
