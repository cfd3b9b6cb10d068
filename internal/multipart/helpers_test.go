package multipart

import (
	"io"
	"mime"
	mimemultipart "mime/multipart"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// disk counts what is opened and closed, and fails the test if a handle is
// closed twice.
type disk struct {
	t              *testing.T
	content        string
	opened, closed int
	openErr        error
	wrap           func(io.Reader) io.Reader
}

func (s *disk) open() (io.ReadCloser, error) {
	if s.openErr != nil {
		return nil, s.openErr
	}
	s.opened++
	var r io.Reader = strings.NewReader(s.content)
	if s.wrap != nil {
		r = s.wrap(r)
	}
	return &diskHandle{Reader: r, disk: s}, nil
}

func (s *disk) file(name string) File {
	return File{Name: name, Size: int64(len(s.content)), Open: s.open}
}

type diskHandle struct {
	io.Reader
	disk   *disk
	closed bool
}

func (h *diskHandle) Close() error {
	require.False(h.disk.t, h.closed, "closed twice")
	h.closed = true
	h.disk.closed++
	return nil
}

func newBody(t *testing.T, fields [][2]string, file File) *Body {
	t.Helper()
	b, err := New(t.Context(), NewBoundary(), fields, file)
	require.NoError(t, err)
	t.Cleanup(b.Close)
	return b
}

func open(t *testing.T, b *Body) io.ReadCloser {
	t.Helper()
	r, err := b.Open()
	require.NoError(t, err)
	return r
}

func readAll(t *testing.T, b *Body) string {
	t.Helper()
	r := open(t, b)
	sent, err := io.ReadAll(r)
	require.NoError(t, err)
	require.NoError(t, r.Close())
	return string(sent)
}

type part struct{ disposition, contentType, content string }

func parse(t *testing.T, contentType, body string) []part {
	t.Helper()
	kind, params, err := mime.ParseMediaType(contentType)
	require.NoError(t, err)
	require.Equal(t, "multipart/form-data", kind)
	var parts []part
	r := mimemultipart.NewReader(strings.NewReader(body), params["boundary"])
	for {
		p, err := r.NextRawPart()
		if err == io.EOF {
			return parts
		}
		require.NoError(t, err)
		content, err := io.ReadAll(p)
		require.NoError(t, err)
		parts = append(parts, part{p.Header.Get("Content-Disposition"), p.Header.Get("Content-Type"), string(content)})
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// zeros is a file of any size that takes no memory.
func zeros(size int64) File {
	return File{Name: "big.pdf", Size: size, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(io.LimitReader(zeroReader{}, size)), nil
	}}
}

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// hanging is a source whose reads wait for a value of its channel.
func hanging(t *testing.T) (*disk, chan struct{}) {
	step := make(chan struct{})
	return &disk{t: t, content: "content", wrap: func(r io.Reader) io.Reader { return stepReader{r, step} }}, step
}

type stepReader struct {
	io.Reader
	step chan struct{}
}

func (s stepReader) Read(p []byte) (int, error) {
	<-s.step
	return s.Reader.Read(p)
}

// startRead reads r up to the file, and from the file in a goroutine.
func startRead(t *testing.T, b *Body, r io.Reader) <-chan error {
	t.Helper()
	_, err := io.ReadFull(r, make([]byte, len(b.head)))
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() {
		_, err := r.Read(make([]byte, 3))
		ended <- err
	}()
	synctest.Wait()
	return ended
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }
