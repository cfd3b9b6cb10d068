package multipart

import (
	"errors"
	"fmt"
	"io"
)

// maxEmptyReads is how often in a row a Read may return nothing, as for
// bufio.Reader.
const maxEmptyReads = 100

var errBadCount = errors.New("read the file: its Read returned an invalid count")

var errSpent = errors.New("the file was read and can't be read again")

// handle is an open file. Its Read gets somewhere or fails, and its errors are
// those that the upload ends with.
type handle struct {
	io.ReadCloser
	empty error // what a file without bytes fails with; if nil, it is no failure
	once  bool  // what it has read can't be read again
	begun bool
}

// Once is what a reader implements that Open returns for a file that can't be
// read again.
type Once interface{ ReadOnce() }

func openHandle(file File) (*handle, error) {
	rc, err := file.Open()
	if err != nil {
		return nil, fmt.Errorf("open the file: %w", err)
	}
	if rc == nil {
		return nil, errors.New("the file's Open returned neither a reader nor an error")
	}
	_, once := rc.(Once)
	return &handle{ReadCloser: rc, empty: file.Empty, once: once}, nil
}

// Read implements [io.Reader]. p must not be empty.
func (h *handle) Read(p []byte) (int, error) {
	for range maxEmptyReads {
		n, err := h.ReadCloser.Read(p)
		if n < 0 || n > len(p) {
			return 0, errBadCount
		}
		h.begun = h.begun || n > 0
		switch {
		case err == io.EOF && !h.begun && h.empty != nil:
			return 0, h.empty
		case err != nil && err != io.EOF:
			return n, fmt.Errorf("read the file: %w", err)
		case n > 0 || err != nil:
			return n, err
		}
	}
	return 0, fmt.Errorf("read the file: %w", io.ErrNoProgress)
}
