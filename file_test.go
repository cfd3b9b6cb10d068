package mid

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go/internal/multipart"
)

const fileContent = "%PDF-1.7 the content of a file"

func readFile(t *testing.T, f File) string {
	t.Helper()
	r, err := f.Open()
	require.NoError(t, err)
	content, err := io.ReadAll(r)
	require.NoError(t, err)
	require.NoError(t, r.Close())
	return string(content)
}

func tempFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "lease.pdf")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func TestFilesThatAreReadAgain(t *testing.T) {
	path := tempFile(t, fileContent)
	byPath, err := FileFromPath(path)
	require.NoError(t, err)
	byFS, err := FileFromFS(fstest.MapFS{"docs/lease.pdf": {Data: []byte(fileContent)}}, "docs/lease.pdf")
	require.NoError(t, err)
	handle, err := os.Open(path)
	require.NoError(t, err)
	defer func() { require.NoError(t, handle.Close(), "the SDK leaves the reader open") }()
	moved := strings.NewReader("skipped" + fileContent)
	_, err = moved.Seek(int64(len("skipped")), io.SeekStart)
	require.NoError(t, err)

	for name, file := range map[string]File{
		"path":       byPath,
		"fs":         byFS,
		"bytes":      FileFromBytes("lease.pdf", []byte(fileContent)),
		"os.File":    FileFromReader("lease.pdf", handle),
		"mid-seeker": FileFromReader("lease.pdf", moved),
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, file.validate())
			require.Equal(t, "lease.pdf", file.Name)
			require.EqualValues(t, len(fileContent), file.Size)

			body, err := multipart.New(t.Context(), multipart.NewBoundary(), nil, multipart.File{Name: file.Name, Size: file.Size, Open: file.Open})
			require.NoError(t, err)
			defer body.Close()
			var attempts []string
			for range 3 {
				r, err := body.Open()
				require.NoError(t, err)
				sent, err := io.ReadAll(r)
				require.NoError(t, err)
				require.Contains(t, string(sent), fileContent)
				attempts = append(attempts, string(sent))
				require.NoError(t, body.Rewind(t.Context()))
			}
			require.Equal(t, attempts[0], attempts[1])
			require.Equal(t, attempts[0], attempts[2])
		})
	}
}

func TestFileFromPathFailures(t *testing.T) {
	_, err := FileFromPath(filepath.Join(t.TempDir(), "missing.pdf"))
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "mid: ")
	require.ErrorContains(t, err, "missing.pdf")

	dir := t.TempDir()
	_, err = FileFromPath(dir)
	require.EqualError(t, err, "mid: file can't be uploaded: "+dir+" is a directory")
}

func TestFileFromFSFailures(t *testing.T) {
	fsys := fstest.MapFS{"docs/lease.pdf": {}}
	_, err := FileFromFS(fsys, "missing.pdf")
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "mid: ")

	_, err = FileFromFS(fsys, "docs")
	require.EqualError(t, err, "mid: file can't be uploaded: docs is a directory")

	_, err = FileFromFS(nil, "docs/lease.pdf")
	require.EqualError(t, err, "mid: file can't be uploaded: the file system is nil")
}

func TestFileThatVanishesBeforeTheUpload(t *testing.T) {
	path := tempFile(t, fileContent)
	file, err := FileFromPath(path)
	require.NoError(t, err)
	require.NoError(t, os.Remove(path))
	_, err = file.Open()
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestFilesThatAreNotRegular(t *testing.T) {
	device, err := FileFromPath(os.DevNull)
	require.NoError(t, err)
	require.Zero(t, device.Size)

	pipe, err := FileFromFS(fstest.MapFS{"pipe": {Data: []byte(fileContent), Mode: fs.ModeNamedPipe}}, "pipe")
	require.NoError(t, err)
	require.Zero(t, pipe.Size)
	require.Equal(t, fileContent, readFile(t, pipe))
	_, err = pipe.Open()
	require.Equal(t, errReadOnce, err)
}

func TestEmptyFilesHaveNoKnownSize(t *testing.T) {
	file, err := FileFromPath(tempFile(t, ""))
	require.NoError(t, err)
	require.Zero(t, file.Size)
	require.Empty(t, readFile(t, file))
	require.Empty(t, readFile(t, FileFromBytes("empty.pdf", nil)))
}

// plainPipe can seek by its type, and fails it, like an os.File of a pipe.
type plainPipe struct{ io.Reader }

func (plainPipe) Seek(int64, int) (int64, error) { return 0, errors.New("illegal seek") }

func TestReadersThatAreReadOnce(t *testing.T) {
	for name, tc := range map[string]struct {
		reader io.Reader
		size   int
	}{
		"plain":  {bufio.NewReader(strings.NewReader(fileContent)), 0},
		"buffer": {bytes.NewBufferString(fileContent), len(fileContent)},
		"pipe":   {plainPipe{strings.NewReader(fileContent)}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			file := FileFromReader("lease.pdf", tc.reader)
			require.NoError(t, file.validate())
			require.EqualValues(t, tc.size, file.Size)

			for range 2 {
				r, err := file.Open()
				require.NoError(t, err, "nothing was read yet")
				require.NoError(t, r.Close())
			}
			r, err := file.Open()
			require.NoError(t, err)
			_, err = io.ReadFull(r, make([]byte, 1))
			require.NoError(t, err)
			require.NoError(t, r.Close())
			_, err = file.Open()
			require.EqualError(t, err, "the file's reader has been read and can't be read again")
		})
	}
}

func TestReadThatGivesNothingIsNoRead(t *testing.T) {
	file := FileFromReader("lease.pdf", iotest.ErrReader(io.ErrClosedPipe))
	r, err := file.Open()
	require.NoError(t, err)
	_, err = r.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.ErrClosedPipe)
	_, err = file.Open()
	require.NoError(t, err)
}

func TestReadUnderWayCounts(t *testing.T) {
	r, w := io.Pipe()
	begun := make(chan struct{})
	file := FileFromReader("lease.pdf", signalling{r, begun})
	handle, err := file.Open()
	require.NoError(t, err)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = handle.Read(make([]byte, 1))
	}()
	<-begun
	_, err = file.Open()
	require.Equal(t, errReadOnce, err)
	require.NoError(t, w.Close())
	<-ended
	_, err = file.Open()
	require.NoError(t, err)
}

type signalling struct {
	io.Reader
	begun chan struct{}
}

func (s signalling) Read(p []byte) (int, error) {
	close(s.begun)
	return s.Reader.Read(p)
}

// brokenSeeker tells where it stands and can do nothing else.
type brokenSeeker struct{ io.Reader }

func (brokenSeeker) Seek(_ int64, whence int) (int64, error) {
	if whence == io.SeekCurrent {
		return 0, nil
	}
	return 0, io.ErrClosedPipe
}

func TestSeekerThatBreaks(t *testing.T) {
	file := FileFromReader("lease.pdf", brokenSeeker{strings.NewReader(fileContent)})
	require.Zero(t, file.Size)
	_, err := file.Open()
	require.ErrorIs(t, err, io.ErrClosedPipe)
}

func TestSeekerBehindItsEnd(t *testing.T) {
	r := strings.NewReader(fileContent)
	_, err := r.Seek(1000, io.SeekStart)
	require.NoError(t, err)
	file := FileFromReader("lease.pdf", r)
	require.NoError(t, file.validate())
	require.Zero(t, file.Size)
	require.Empty(t, readFile(t, file))
}

func TestFileValidation(t *testing.T) {
	good := FileFromBytes("lease.pdf", []byte(fileContent))
	require.NoError(t, good.validate())
	for _, contentType := range []string{"application/pdf", "text/plain; charset=utf-8", `image/x; title="a b"`} {
		file := good
		file.ContentType = contentType
		require.NoError(t, file.validate(), contentType)
	}

	for name, tc := range map[string]struct {
		field  string
		change func(*File)
	}{
		"nil Open":            {"File", func(f *File) { f.Open = nil }},
		"nil reader":          {"File", func(f *File) { *f = FileFromReader("lease.pdf", nil) }},
		"zero value":          {"File", func(f *File) { *f = File{} }},
		"no name":             {"File.Name", func(f *File) { f.Name = "" }},
		"blank name":          {"File.Name", func(f *File) { f.Name = " " }},
		"newline in name":     {"File.Name", func(f *File) { f.Name = "a\r\nb" }},
		"delete in name":      {"File.Name", func(f *File) { f.Name = "a\x7f" }},
		"negative size":       {"File.Size", func(f *File) { f.Size = -1 }},
		"newline in type":     {"File.ContentType", func(f *File) { f.ContentType = "image/png\r\nX: y" }},
		"no subtype":          {"File.ContentType", func(f *File) { f.ContentType = "image" }},
		"empty subtype":       {"File.ContentType", func(f *File) { f.ContentType = "image/" }},
		"malformed parameter": {"File.ContentType", func(f *File) { f.ContentType = "image/png; a" }},
		"blank type":          {"File.ContentType", func(f *File) { f.ContentType = " " }},
	} {
		t.Run(name, func(t *testing.T) {
			file := good
			tc.change(&file)
			var invalid *ValidationError
			require.ErrorAs(t, file.validate(), &invalid)
			require.Equal(t, tc.field, invalid.Field)
		})
	}
}
