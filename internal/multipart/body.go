// Package multipart is the body of an upload: a multipart/form-data message
// that is streamed from the file in constant memory, knows its length ahead
// and can be sent again, byte for byte, when the file can be read again.
package multipart

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
)

var errClosed = errors.New("the upload's body is closed")

// File is the file that a [Body] ends with.
type File struct {
	// Name is the file name that the server is told.
	Name string
	// ContentType is the part's media type. Empty: by the extension of Name,
	// else by the file's first bytes.
	ContentType string
	// Size is the file's length in bytes; zero if it is not known.
	Size int64
	// Open returns a reader of the whole file, or an error when the file can't
	// be read again. Every reader is closed before Open is called once more.
	Open func() (io.ReadCloser, error)
	// Progress is called with the number of the file's bytes that were handed
	// out in this attempt, and Size or -1. Nil: not called.
	Progress func(sent, total int64)
}

// Body is a multipart/form-data body for one call, however often the call is
// sent. Its methods are safe for concurrent use. Close it when the call ends.
type Body struct {
	file        File
	contentType string
	head, tail  []byte

	// turn holds a token for whoever uses the fields below. It is a channel
	// because the wait for a Read that hangs must end with a context.
	turn     chan struct{}
	handle   io.ReadCloser // nil: not open
	prefix   []byte        // what sniffing has read of handle
	used     bool          // bytes of handle were handed out
	borrower *reader       // whom handle was last read for

	// reporting holds a token while Progress runs.
	reporting chan struct{}
	ended     <-chan struct{} // closed when the call's context ends

	mu      sync.Mutex
	readers map[*reader]struct{} // those that are not closed
	err     error
	closed  bool
}

// New returns the body that has the fields, each a name and a value, in their
// order, and then the file, as the part named file. The boundary must be in none
// of them, and one that who made the file could not guess. Fields with an empty value
// are left out. If neither file.ContentType nor the name's extension tells the
// media type, New opens the file and reads its beginning, which the first
// attempt then goes on from; a failure of that, or ctx's end before it, is its
// only error.
func New(ctx context.Context, boundary string, fields [][2]string, file File) (*Body, error) {
	b := &Body{
		file:      file,
		turn:      make(chan struct{}, 1),
		reporting: make(chan struct{}, 1),
		ended:     ctx.Done(),
		readers:   make(map[*reader]struct{}),
	}
	if b.file.ContentType == "" {
		b.file.ContentType = typeByExtension(file.Name)
	}
	if b.file.ContentType == "" {
		b.turn <- struct{}{}
		if err := b.within(ctx, b.sniff); err != nil {
			_ = b.Close() // whatever comes too late is closed then
			return nil, err
		}
	}
	b.contentType = "multipart/form-data; boundary=" + boundary
	b.head, b.tail = frame(boundary, fields, b.file)
	return b, nil
}

func (b *Body) sniff() error {
	if err := b.open(); err != nil {
		return err
	}
	prefix := make([]byte, sniffLen)
	n, err := io.ReadFull(b.handle, prefix)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return fileError("read", err)
	}
	b.prefix = prefix[:n]
	b.file.ContentType = typeByContent(b.prefix)
	return nil
}

// ContentType returns the value of the request's Content-Type header.
func (b *Body) ContentType() string { return b.contentType }

// ContentLength returns the length of the whole body in bytes; -1 if the
// file's size is not known.
func (b *Body) ContentLength() int64 {
	if b.file.Size == 0 {
		return -1
	}
	return int64(len(b.head)) + b.file.Size + int64(len(b.tail))
}

// Open returns the body from its start, for the next attempt, and forgets the
// failure that Err told. The file is not touched before the reader comes to
// it: a reader that is closed unread costs nothing. A reader that comes to the
// file takes it from the one before, whose reads then fail. Open fails only
// after Close.
func (b *Body) Open() (io.ReadCloser, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, errClosed
	}
	r := &reader{body: b, head: b.head, tail: b.tail, done: make(chan struct{})}
	b.readers[r] = struct{}{}
	b.err = nil
	return r, nil
}

// Rewind prepares the next attempt: it closes the readers of the earlier ones,
// waits until none of them uses the file, and makes sure that the file can be
// read from its start. If bytes of it were handed out, it is opened again
// now. An error, which is ctx's if ctx ends first, says that the body can't be
// sent again.
func (b *Body) Rewind(ctx context.Context) error {
	b.closeReaders()
	select {
	case b.turn <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("wait for the earlier attempt to leave the file: %w", context.Cause(ctx))
	}
	switch {
	case b.isClosed():
		b.release()
		return errClosed
	case !b.used:
		b.release()
		return nil
	}
	return b.within(ctx, b.rewind)
}

// within gives the turn, which its caller has, to f. It waits no longer than
// ctx, which the file's Open and Read do not know.
func (b *Body) within(ctx context.Context, f func() error) error {
	done := make(chan error, 1)
	go func() {
		err := f()
		b.release()
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("wait for the file: %w", context.Cause(ctx))
	}
}

// Err returns what went wrong with the file itself, by opening it, by reading
// it or for its size, since the last call of Open; nil if nothing did. It is
// no use to try again after that.
func (b *Body) Err() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}

// Close ends the call: all readers are closed, and so is the file. Progress is
// not called any more once Close has returned; one that is under way is waited
// for until the context that New was given ends. A Read or an Open of the file that
// is under way is not waited for: the file is closed when it ends, and Close
// returns nil.
func (b *Body) Close() error {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.closeReaders()
	select {
	case b.reporting <- struct{}{}:
		<-b.reporting
	case <-b.ended:
	}
	return b.closeIdle()
}

func (b *Body) isClosed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.closed
}

func (b *Body) closeReaders() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for r := range b.readers {
		delete(b.readers, r)
		close(r.done)
	}
}

// release gives the turn back. Close may have come meanwhile and left the file
// to whoever had the turn.
func (b *Body) release() {
	<-b.turn
	if b.isClosed() {
		_ = b.closeIdle()
	}
}

func (b *Body) closeIdle() error {
	select {
	case b.turn <- struct{}{}:
		defer func() { <-b.turn }()
		return b.closeHandle()
	default:
		return nil
	}
}

// The methods below need the turn.

func (b *Body) open() error {
	handle, err := b.file.Open()
	if err != nil {
		return fileError("open", err)
	}
	if handle == nil {
		return errors.New("the file's Open returned neither a reader nor an error")
	}
	b.handle = handle
	return nil
}

func (b *Body) closeHandle() error {
	if b.handle == nil {
		return nil
	}
	err := b.handle.Close()
	b.handle, b.prefix, b.used = nil, nil, false
	return err
}

// rewind leaves alone a handle that nothing was handed out of, so that what
// can be read only once survives an attempt that failed before the file.
func (b *Body) rewind() error {
	if !b.used {
		return nil
	}
	_ = b.closeHandle() // what was only read loses nothing by it
	return b.open()
}

// lend makes the handle ready for r, which has the turn.
func (b *Body) lend(r *reader) error {
	if b.borrower != r {
		if r.sent > 0 {
			return errClosed
		}
		b.borrower = r
		if err := b.rewind(); err != nil {
			return err
		}
	}
	if b.handle == nil {
		return b.open()
	}
	return nil
}

// read is handle's Read, at the given offset of the file.
func (b *Body) read(p []byte, offset int64) (int, error) {
	if offset < int64(len(b.prefix)) {
		return copy(p, b.prefix[offset:]), nil
	}
	return b.handle.Read(p)
}

func fileError(doing string, err error) error { return fmt.Errorf("%s the file: %w", doing, err) }
