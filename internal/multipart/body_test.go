package multipart

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestContentLength(t *testing.T) {
	src := &disk{t: t, content: "content"}
	known := newBody(t, [][2]string{{"name", "Lease"}}, src.file("a.pdf"))
	require.EqualValues(t, len(readAll(t, known)), known.ContentLength())

	file := src.file("a.pdf")
	file.Size = 0
	unknown := newBody(t, nil, file)
	require.EqualValues(t, -1, unknown.ContentLength())
	require.Equal(t, "content", parse(t, unknown.ContentType(), readAll(t, unknown))[0].content)
}

func TestReplayIsByteForByte(t *testing.T) {
	for _, name := range []string{"a.pdf", "sniffed"} {
		t.Run(name, func(t *testing.T) {
			src := &disk{t: t, content: strings.Repeat("0123456789", 1000)}
			b := newBody(t, [][2]string{{"type", "selfie"}}, src.file(name))
			first := readAll(t, b)
			for range 3 {
				require.NoError(t, b.Rewind(t.Context()))
				require.Equal(t, first, readAll(t, b))
			}
			require.Equal(t, 4, src.opened)
			require.Equal(t, 3, src.closed)
			b.Close()
			b.Close()
			require.Equal(t, 4, src.closed)
		})
	}
}

func TestReplayWithoutRewind(t *testing.T) {
	src := &disk{t: t, content: "content"}
	b := newBody(t, nil, src.file("a.pdf"))
	first := readAll(t, b)
	require.Equal(t, first, readAll(t, b))
	require.Equal(t, 2, src.opened)
}

func TestRewindClosesEarlierReaders(t *testing.T) {
	src := &disk{t: t, content: "content"}
	b := newBody(t, nil, src.file("a.pdf"))
	old := open(t, b)
	_, err := io.ReadFull(old, make([]byte, len(b.head)+3))
	require.NoError(t, err)
	require.NoError(t, b.Rewind(t.Context()))
	_, err = old.Read(make([]byte, 1))
	require.ErrorIs(t, err, errClosed)
	require.NoError(t, old.Close())
	require.NoError(t, b.Err())
	require.Contains(t, readAll(t, b), "content")
}

func TestClosed(t *testing.T) {
	src := &disk{t: t, content: "content"}
	b := newBody(t, nil, src.file("sniffed"))
	r := open(t, b)
	require.NoError(t, r.Close())
	require.NoError(t, r.Close())
	_, err := r.Read(make([]byte, 1))
	require.ErrorIs(t, err, errClosed)

	r = open(t, b)
	b.Close()
	_, err = r.Read(make([]byte, 1))
	require.ErrorIs(t, err, errClosed)
	_, err = b.Open()
	require.ErrorIs(t, err, errClosed)
	require.ErrorIs(t, b.Rewind(t.Context()), errClosed)
	require.Equal(t, 1, src.closed)
}
