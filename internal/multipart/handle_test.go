package multipart

import (
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFailuresOfTheFile(t *testing.T) {
	broken := errors.New("disk on fire")

	t.Run("open", func(t *testing.T) {
		src := &disk{t: t, openErr: broken}
		b := newBody(t, nil, src.file("a.pdf"))
		_, err := io.ReadAll(open(t, b))
		require.ErrorIs(t, err, broken)
		require.EqualError(t, b.Err(), "open the file: disk on fire")
		open(t, b)
		require.NoError(t, b.Err(), "an attempt that did nothing yet")
	})
	t.Run("open while sniffing", func(t *testing.T) {
		_, err := New(t.Context(), NewBoundary(), nil, (&disk{t: t, openErr: broken}).file("sniffed"))
		require.ErrorIs(t, err, broken)
	})
	t.Run("open without a reader", func(t *testing.T) {
		_, err := New(t.Context(), NewBoundary(), nil, File{Name: "sniffed", Open: func() (io.ReadCloser, error) { return nil, nil }})
		require.EqualError(t, err, "the file's Open returned neither a reader nor an error")
	})
	breaking := func(r io.Reader) io.Reader { return io.MultiReader(r, failing{broken}) }
	t.Run("read", func(t *testing.T) {
		src := &disk{t: t, content: "some", wrap: breaking}
		file := src.file("a.pdf")
		file.Size = 0
		b := newBody(t, nil, file)
		_, err := io.ReadAll(open(t, b))
		require.EqualError(t, err, "read the file: disk on fire")
		require.Equal(t, err, b.Err())
		require.ErrorIs(t, err, broken)
		b.Close()
		require.Equal(t, 1, src.closed)
	})
	t.Run("read while sniffing", func(t *testing.T) {
		src := &disk{t: t, content: "some", wrap: breaking}
		_, err := New(t.Context(), NewBoundary(), nil, src.file("sniffed"))
		require.EqualError(t, err, "read the file: disk on fire")
		require.Equal(t, 1, src.closed)
	})
}

// A Read that gets nowhere would keep its goroutine busy for ever.
func TestReadsWithoutProgress(t *testing.T) {
	for _, name := range []string{"a.pdf", "sniffed"} {
		reads := 0
		file := File{Name: name, Size: 4, Open: func() (io.ReadCloser, error) {
			return io.NopCloser(readFunc(func([]byte) (int, error) { reads++; return 0, nil })), nil
		}}
		b, err := New(t.Context(), NewBoundary(), nil, file)
		if err == nil {
			_, err = io.ReadAll(open(t, b))
			require.Equal(t, err, b.Err())
			b.Close()
		}
		require.ErrorIs(t, err, io.ErrNoProgress, name)
		require.Equal(t, maxEmptyReads, reads, name)
	}
}

// A Read may return nothing now and then.
func TestReadsWithLittleProgress(t *testing.T) {
	const content = "0123456789"
	reads := 0
	b := newBody(t, nil, File{Name: "a.pdf", Open: func() (io.ReadCloser, error) {
		return io.NopCloser(readFunc(func(p []byte) (int, error) {
			switch i := reads / maxEmptyReads; {
			case i == len(content):
				return 0, io.EOF
			case reads%maxEmptyReads == maxEmptyReads-1:
				reads++
				return copy(p, content[i:i+1]), nil
			}
			reads++
			return 0, nil
		})), nil
	}})
	require.Contains(t, readAll(t, b), content)
}

func TestReadsWithAnInvalidCount(t *testing.T) {
	for _, n := range []int{-1, 1 << 20} {
		b := newBody(t, nil, File{Name: "a.pdf", Open: func() (io.ReadCloser, error) {
			return io.NopCloser(readFunc(func([]byte) (int, error) { return n, nil })), nil
		}})
		_, err := io.ReadAll(open(t, b))
		require.Equal(t, errBadCount, err)
	}
}

// An empty file of an unknown size is found before anything is sent; one whose
// Size is wrong, when it is read.
func TestEmptyFiles(t *testing.T) {
	empty := errors.New("nothing in it")
	for _, name := range []string{"a.pdf", "sniffed"} {
		src := &disk{t: t}
		file := src.file(name)
		file.Empty = empty
		_, err := New(t.Context(), NewBoundary(), nil, file)
		require.Equal(t, empty, err)
		require.Equal(t, 1, src.opened)
		require.Equal(t, 1, src.closed)
	}

	file := (&disk{t: t}).file("a.pdf")
	file.Size, file.Empty = 5, empty
	b := newBody(t, nil, file)
	_, err := io.ReadAll(open(t, b))
	require.Equal(t, empty, err)
	require.Equal(t, empty, b.Err())
}
