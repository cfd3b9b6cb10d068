package multipart

import "io"

// File is the file that a [Body] ends with.
type File struct {
	// Name is the file name that is sent.
	Name string
	// ContentType is the part's media type. If empty, it follows from the extension
	// of Name, or else from the file's first bytes.
	ContentType string
	// Size is the file's length in bytes; zero if it is not known.
	Size int64
	// Open returns a reader of the whole file, or an error when the file can't
	// be read again. Every reader is closed before Open is called once more.
	Open func() (io.ReadCloser, error)
	// Empty is the failure of a file without a byte. If nil, it is sent.
	Empty error
	// Progress is called with the number of the file's bytes that were handed
	// out in this attempt, and Size or -1. If nil, it is not called.
	Progress func(sent, total int64)
}

// Panic is the failure of a file whose Open, Read or Progress panicked. They
// run in a goroutine of net/http's, where a panic would end the program: panic
// with Value again where the caller expects it.
type Panic struct{ Value any }

// Error does not show the value, which may quote the file.
func (*Panic) Error() string {
	return "the file's Open or Read, or the upload's Progress, panicked"
}
