package multipart

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"
)

// source is the file of an upload. It holds one open handle at a time, which
// serves one reader after the other.
type source struct {
	file   File
	closed atomic.Bool
	spent  atomic.Bool // something of a file that can't be read again is, or may be, gone
	baton  baton

	// These are the baton's holder's.
	handle *handle // nil: not open
	prefix []byte  // what has been read ahead of handle
	used   bool    // bytes of handle were handed out
	loans  int     // how many readers the file was lent to
}

// acquire waits for the baton. It reports false if giveUp is closed first.
func (s *source) acquire(giveUp <-chan struct{}) bool {
	if !s.baton.acquire(giveUp) {
		return false
	}
	if isClosed(giveUp) {
		s.release()
		return false
	}
	return true
}

// release gives the baton back. Close may have come meanwhile and left the
// handle to the baton's holder.
func (s *source) release() {
	s.baton.release()
	if s.closed.Load() {
		s.closeIdle()
	}
}

// close closes the handle now or, if it is in use, when its user releases the
// baton.
func (s *source) close() {
	s.closed.Store(true)
	s.closeIdle()
}

func (s *source) closeIdle() {
	if s.baton.tryAcquire() {
		s.closeHandle()
		s.baton.release()
	}
}

// within acquires the baton for f. It waits no longer than ctx, which the
// file's Open and Read do not know. A panic of theirs is the caller's.
func (s *source) within(ctx context.Context, f func() error) error {
	if !s.acquire(ctx.Done()) {
		return fmt.Errorf("wait for the file: %w", end(ctx))
	}
	done := make(chan error, 1)
	go func() {
		var err error
		defer func() {
			if v := recover(); v != nil {
				err = &Panic{v}
			}
			s.release()
			done <- err
		}()
		err = f()
	}()
	select {
	case err := <-done:
		if p, ok := err.(*Panic); ok { //nolint:errorlint // it comes from above as it is
			panic(p.Value)
		}
		return err
	case <-ctx.Done():
		return fmt.Errorf("wait for the file: %w", end(ctx))
	}
}

// end is why ctx ended: its error and, if it has one, its cause.
func end(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if cause == err { //nolint:errorlint // Cause returns the same when there is no other
		return err
	}
	return fmt.Errorf("%w: %w", err, cause)
}

// The methods below need the baton.

// rewind makes the file ready to be read from its start. A handle that nothing
// was handed out of serves again, so that what can be read only once survives
// an attempt that failed before the file.
func (s *source) rewind() error {
	if s.handle != nil && !s.used {
		return nil
	}
	s.closeHandle()
	handle, err := openHandle(s.file)
	s.handle = handle
	return err
}

// peek reads the first bytes ahead, at least one of so many.
func (s *source) peek(least, most int) error {
	if err := s.rewind(); err != nil {
		return err
	}
	prefix := make([]byte, most)
	n, err := io.ReadAtLeast(s.handle, prefix, least)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return err
	}
	s.prefix = prefix[:n]
	return nil
}

// lend makes the file ready for a reader that comes to it for the first time,
// and returns the number of the loan. Earlier loans are over.
func (s *source) lend() (int, error) {
	s.loans++
	return s.loans, s.rewind()
}

// read is the handle's Read, at the given offset of the file.
func (s *source) read(p []byte, offset int64) (int, error) {
	if offset < int64(len(s.prefix)) {
		s.used = true
		return copy(p, s.prefix[offset:]), nil
	}
	s.spent.Store(s.handle.once) // while the Read is under way, it may yet take something
	n, err := s.handle.Read(p)
	s.used = s.used || n > 0
	s.spent.Store(s.handle.once && s.used)
	return n, err
}

func (s *source) closeHandle() {
	if s.handle != nil {
		_ = s.handle.Close() // what was only read loses nothing by it
	}
	s.handle, s.prefix, s.used = nil, nil, false
}
