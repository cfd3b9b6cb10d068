// Package multipart is the body of an upload: a multipart/form-data message
// that is streamed from the file in constant memory, knows its length ahead
// and can be sent again, byte for byte, when the file can be read again.
//
// A [Body] has a reader for each attempt. The readers share one source, the
// file, and pass its baton from one to the next.
package multipart

import (
	"context"
	"io"
	"sync"
)

// Body is a multipart/form-data body for one call, however often the call is
// sent. Its methods are safe for concurrent use. Close it when the call ends.
type Body struct {
	contentType string
	head, tail  []byte
	source      *source
	progress    *progress
	ended       <-chan struct{} // closed when the call's context ends

	mu      sync.Mutex
	readers []*reader // the newest last
	closed  bool
}

// New returns the body that has the fields, each a name and a value, in their
// order, and then the file, as the part named file. Fields with an empty value
// are left out. The boundary must be in none of them, and one that the file's
// author could not guess.
//
// New reads the beginning of the file in two cases. If the size is not known, an
// empty file must fail before anything is sent. If neither file.ContentType nor the
// name's extension gives the media type, the content does. The first attempt goes on
// from there. New only fails if that reading fails, or ctx ends before it is done.
// If Open or Read panics, so does New.
func New(ctx context.Context, boundary string, fields [][2]string, file File) (*Body, error) {
	if file.ContentType == "" {
		file.ContentType = typeByExtension(file.Name)
	}
	b := &Body{
		source:   &source{file: file, baton: newBaton()},
		progress: newProgress(file),
		ended:    ctx.Done(),
	}
	if err := b.lookAhead(ctx, &file); err != nil {
		return nil, err
	}
	b.contentType = "multipart/form-data; boundary=" + boundary
	b.head, b.tail = frame(boundary, fields, file)
	return b, nil
}

// lookAhead reads as much of the file as must be known before it is sent.
func (b *Body) lookAhead(ctx context.Context, file *File) error {
	least := 1
	switch {
	case file.ContentType == "":
		least = sniffLen
	case file.Size > 0 || file.Empty == nil:
		return nil
	}
	failed := true
	defer func() {
		if failed {
			b.source.close() // what comes too late is closed then
		}
	}()
	if err := b.source.within(ctx, func() error { return b.source.peek(least, sniffLen) }); err != nil {
		return err
	}
	failed = false
	if file.ContentType == "" {
		file.ContentType = typeByContent(b.source.prefix)
	}
	return nil
}

// ContentType returns the value of the request's Content-Type header.
func (b *Body) ContentType() string { return b.contentType }

// ContentLength returns the length of the whole body in bytes; -1 if the
// file's size is not known.
func (b *Body) ContentLength() int64 {
	if b.source.file.Size == 0 {
		return -1
	}
	return int64(len(b.head)) + b.source.file.Size + int64(len(b.tail))
}

// Open returns the body from its start, for the next attempt, and forgets the
// failure that Err returned. The file is not touched before the reader comes
// to it: a reader that is closed unread costs nothing. A reader that comes to
// the file takes it from the one before, whose reads then fail. Open fails
// only after Close.
func (b *Body) Open() (io.ReadCloser, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, errClosed
	}
	r := &reader{source: b.source, progress: b.progress, head: b.head, tail: b.tail, closed: make(chan struct{})}
	b.readers = append(b.readers, r)
	return r, nil
}

// Rewind prepares the next attempt: it closes the readers of the earlier ones,
// waits until none of them uses the file, and makes sure that the file can be
// read from its start. If bytes of it were handed out, it is opened again
// now. An error says that the body can't be sent again; if ctx ended first, it
// matches ctx's error and cause. If the file's Open panics, so does Rewind.
func (b *Body) Rewind(ctx context.Context) error {
	if b.closeReaders() {
		return errClosed
	}
	if b.source.spent.Load() {
		return errSpent // without the wait for a Read that may hang
	}
	return b.source.within(ctx, func() error {
		if !b.source.used {
			return nil
		}
		return b.source.rewind()
	})
}

// Err returns the failure of the file itself since the last call of Open, or nil: the
// file could not be opened or read, or had another size. Another attempt would not
// mend it. If the file's Open or Read, or Progress, panicked, it is a [*Panic].
func (b *Body) Err() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.readers) == 0 {
		return nil
	}
	return b.readers[len(b.readers)-1].fileFailure()
}

// Close ends the call: all readers are closed, and so is the file. Progress is
// not called any more once Close has returned. A call of it that is under way
// is waited for until the context that New was given ends. A Read or an Open of
// the file that is under way is not waited for: the file is closed when it
// ends.
func (b *Body) Close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.closeReaders()
	b.progress.settle(b.ended)
	b.source.close()
}

// closeReaders reports whether the body is closed.
func (b *Body) closeReaders() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.readers {
		_ = r.Close()
	}
	return b.closed
}
