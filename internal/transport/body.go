package transport

import (
	"bytes"
	"context"
	"io"
)

// Bytes is a [Body] in memory.
type Bytes []byte

// Open returns a reader of all bytes, of a type that net/http knows to be in
// memory, so that it sends the header and the body together.
func (b Bytes) Open() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }

// Rewind does nothing: every reader starts at the first byte.
func (Bytes) Rewind(context.Context) error { return nil }

// ContentLength is the number of bytes.
func (b Bytes) ContentLength() int64 { return int64(len(b)) }

// Err is always nil.
func (Bytes) Err() error { return nil }

// small reports whether the call's body is sent in next to no time, so that
// its progress need not be watched.
func (c *Call) small() bool {
	b, ok := c.Body.(Bytes)
	return ok && len(b) <= 64<<10
}
