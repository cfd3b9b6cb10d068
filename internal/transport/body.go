package transport

import (
	"bytes"
	"context"
	"io"
)

// Bytes is a [Body] in memory.
type Bytes struct {
	data   []byte
	opened bool
	first  bytes.Reader // room for the first reader
}

// Open returns a reader of all bytes, of a type that net/http knows to be in
// memory, so that it sends the header and the body together. Each attempt has its
// own, because what an earlier one has left behind may still read.
func (b *Bytes) Open() (io.ReadCloser, error) {
	reader := &b.first
	if b.opened {
		reader = new(bytes.Reader)
	}
	b.opened = true
	reader.Reset(b.data)
	return io.NopCloser(reader), nil
}

// Rewind does nothing: every reader starts at the first byte.
func (*Bytes) Rewind(context.Context) error { return nil }

// ContentLength is the number of bytes.
func (b *Bytes) ContentLength() int64 { return int64(len(b.data)) }

// Err is always nil.
func (*Bytes) Err() error { return nil }
