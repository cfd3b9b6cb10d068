package mid

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"unicode"

	"github.com/mobid-io/mid-go/internal/multipart"
)

var (
	errReadOnce  = errors.New("the file's reader has been read and can't be read again")
	errEmptyFile = invalid("File", "is empty; was its reader read before?")
)

// File is what an upload is read from. Make one with [FileFromPath],
// [FileFromBytes], [FileFromFS] or [FileFromReader], or fill it in for a
// source of your own, such as an object store:
//
//	file := mid.File{
//		Name: "passport.jpg",
//		Size: object.Size,
//		Open: func() (io.ReadCloser, error) { return bucket.NewReader(object.Key) },
//	}
//
// Open is called when the upload comes to the file, and again for every further
// attempt if an earlier one has read from it. The upload holds one reader at a
// time, and closes each before it calls Open again. If Open then returns an error,
// the file can't be read again: the upload is not retried, and fails with the
// result of the last attempt. An Open or a Read that hangs does not hold up the
// upload beyond its context.
//
// An empty file is a [*ValidationError], because it is nearly always a reader
// that was read before. If Open or a Read panics, so does the upload.
//
// If uploads that run at the same time share a File, its Open must be safe for
// concurrent use. Those of FileFromPath, FileFromBytes and FileFromFS are.
type File struct {
	// Name is the file's name. Directories in it, with slashes of either kind,
	// are not sent. Required. Personal data if it says whose file it is.
	Name string
	// ContentType is the media type, like application/pdf. If empty, it follows
	// from the extension of Name, or else from the first 512 bytes.
	ContentType string
	// Size is the length in bytes. If the file turns out shorter or longer, the
	// upload fails. If zero, the length is unknown: the first bytes are read before
	// anything is sent, and the file is sent in chunks, without a Content-Length.
	Size int64
	// Open returns a reader of the file from its start. Required.
	Open func() (io.ReadCloser, error)
}

// FileFromPath returns the named file of the operating system, which is opened
// for every attempt. Its Name is the last element of path. A file that is
// missing or is a directory is an error. A pipe or a device has Size zero and
// is not sent again once it has been read from.
func FileFromPath(path string) (File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return File{}, fmt.Errorf("mid: file can't be uploaded: %w", err)
	}
	open := func() (io.ReadCloser, error) { return os.Open(path) }
	return fileFromInfo(filepath.Base(path), path, info, open)
}

// FileFromFS returns the named file of fsys, which is opened for every
// attempt. Its Name is the last element of name. A file that is missing or is
// a directory is an error. A file that is not regular has Size zero and is not
// sent again once it has been read from.
func FileFromFS(fsys fs.FS, name string) (File, error) {
	if fsys == nil {
		return File{}, errors.New("mid: file can't be uploaded: the file system is nil")
	}
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return File{}, fmt.Errorf("mid: file can't be uploaded: %w", err)
	}
	open := func() (io.ReadCloser, error) { return fsys.Open(name) }
	return fileFromInfo(path.Base(name), name, info, open)
}

func fileFromInfo(name, path string, info fs.FileInfo, open func() (io.ReadCloser, error)) (File, error) {
	switch {
	case info.IsDir():
		return File{}, fmt.Errorf("mid: file can't be uploaded: %s is a directory", path)
	case info.Mode().IsRegular():
		return File{Name: name, Size: info.Size(), Open: open}, nil
	}
	// Bytes that were read from a pipe are gone. Opened again, it would return the
	// rest, which would pass for the whole.
	return File{Name: name, Open: readOnce(open)}, nil
}

// FileFromBytes returns a file with the given content, which must not change
// until the upload has ended. Directories in name are not sent.
func FileFromBytes(name string, data []byte) File {
	return File{
		Name: name,
		Size: int64(len(data)),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil },
	}
}

// FileFromReader returns a file with the content of r from its current position.
// The SDK never closes r. The File is good for one upload at a time. Directories
// in name, such as those of [os.File.Name], are not sent.
//
// If r is an [io.Seeker] that can seek, such as an [os.File] of a regular file or a
// [bytes.Reader], its size is known, and every attempt seeks back to the position
// that it had. Any other reader is sent once: an attempt that fails before its
// first byte was read is retried, and a later one is not. Its size is unknown
// unless it has a method Len() int, like [bytes.Buffer]. If r is nil, the upload
// fails with a [*ValidationError].
func FileFromReader(name string, r io.Reader) File {
	if v := reflect.ValueOf(r); r == nil || v.Kind() == reflect.Pointer && v.IsNil() {
		return File{Name: name}
	}
	if seeker, ok := r.(io.ReadSeeker); ok {
		// Pipes have the method too, but it fails.
		if start, err := seeker.Seek(0, io.SeekCurrent); err == nil {
			return fileFromSeeker(name, seeker, start)
		}
	}
	file := File{
		Name: name,
		Open: readOnce(func() (io.ReadCloser, error) { return io.NopCloser(r), nil }),
	}
	if sized, ok := r.(interface{ Len() int }); ok {
		file.Size = int64(sized.Len())
	}
	return file
}

func fileFromSeeker(name string, r io.ReadSeeker, start int64) File {
	file := File{
		Name: name,
		Open: func() (io.ReadCloser, error) {
			if _, err := r.Seek(start, io.SeekStart); err != nil {
				return nil, err
			}
			return io.NopCloser(r), nil
		},
	}
	if end, err := r.Seek(0, io.SeekEnd); err == nil {
		file.Size = max(end-start, 0)
	}
	// If this fails, Open does too, because it seeks to the same position.
	_, _ = r.Seek(start, io.SeekStart)
	return file
}

// readOnce makes open fail after the first byte of what it returned was read.
func readOnce(open func() (io.ReadCloser, error)) func() (io.ReadCloser, error) {
	var begun atomic.Bool
	return func() (io.ReadCloser, error) {
		if begun.Load() {
			return nil, errReadOnce
		}
		rc, err := open()
		if err != nil {
			return nil, err
		}
		return &onceReader{ReadCloser: rc, begun: &begun}, nil
	}
}

type onceReader struct {
	io.ReadCloser
	begun *atomic.Bool
}

// Read sets begun while it is under way, because it may yet take something.
func (r *onceReader) Read(p []byte) (int, error) {
	before := r.begun.Swap(true)
	n, err := r.ReadCloser.Read(p)
	if n == 0 {
		r.begun.Store(before)
	}
	return n, err
}

// ReadOnce marks a reader whose file can't be read again, even while a Read hangs.
func (*onceReader) ReadOnce() {}

var _ multipart.Once = (*onceReader)(nil)

func (f File) validate() error {
	switch {
	case f.Open == nil:
		return invalid("File", "has nothing to read: its Open, or the reader that it was made from, is nil")
	case f.Size < 0:
		return invalid("File.Size", "is negative; give 0 if it is unknown")
	case strings.ContainsFunc(f.Name, unicode.IsControl):
		return invalid("File.Name", "has control characters")
	}
	return firstError(required("File.Name", f.Name), f.validateBaseName(), f.validateContentType())
}

// baseName returns the name without its directories. It knows the slashes of every
// system, because the name often comes from another one.
func (f File) baseName() string { return f.Name[strings.LastIndexAny(f.Name, `/\`)+1:] }

// names returns what a server or the file system may quote of the name.
func (f File) names() []string { return []string{f.Name, f.baseName()} }

func (f File) validateBaseName() error {
	switch strings.TrimSpace(f.baseName()) {
	case "", ".", "..":
		return invalid("File.Name", "names a directory")
	}
	return nil
}

func (f File) validateContentType() error {
	if f.ContentType == "" {
		return nil
	}
	if strings.ContainsFunc(f.ContentType, unicode.IsControl) {
		return invalid("File.ContentType", "has control characters")
	}
	if kind, _, err := mime.ParseMediaType(f.ContentType); err != nil || !strings.Contains(kind, "/") {
		return invalid("File.ContentType", "must be a media type, like application/pdf")
	}
	return nil
}
