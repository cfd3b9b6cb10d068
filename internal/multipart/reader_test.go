package multipart

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

func TestFileMustHaveItsSize(t *testing.T) {
	for name, tc := range map[string]struct {
		size int64
		want string
	}{
		"short": {20, "the file is 10 bytes, its Size says 20"},
		"long":  {4, "the file is more than 4 bytes, its Size says 4"},
	} {
		for _, fileName := range []string{"a.pdf", "sniffed"} {
			t.Run(name+" "+fileName, func(t *testing.T) {
				file := (&disk{t: t, content: "0123456789"}).file(fileName)
				file.Size = tc.size
				var sent int64
				file.Progress = func(n, _ int64) { sent = n }
				b := newBody(t, nil, file)
				r := open(t, b)
				got, err := io.ReadAll(r)
				require.EqualError(t, err, tc.want)
				require.EqualError(t, b.Err(), tc.want)
				require.Less(t, int64(len(got)), b.ContentLength())
				require.NotContains(t, string(got), string(b.tail))
				require.Equal(t, min(tc.size, 10), sent)

				_, again := r.Read(make([]byte, 1))
				require.Equal(t, err, again)
			})
		}
	}
}

func TestEndOfFileThatComesWithTheLastBytes(t *testing.T) {
	src := &disk{t: t, content: "0123456789", wrap: func(r io.Reader) io.Reader { return eagerEOF{r.(*strings.Reader)} }}
	b := newBody(t, nil, src.file("a.pdf"))
	require.Equal(t, "0123456789", parse(t, b.ContentType(), readAll(t, b))[0].content)
}

type eagerEOF struct{ r *strings.Reader }

func (e eagerEOF) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	if err == nil && e.r.Len() == 0 {
		err = io.EOF
	}
	return n, err
}

func TestReadInSmallPieces(t *testing.T) {
	src := &disk{t: t, content: "%PDF-" + strings.Repeat("0123456789", 100)}
	b := newBody(t, [][2]string{{"name", "Lease"}}, src.file("sniffed"))
	r := open(t, b)
	n, err := r.Read(nil)
	require.NoError(t, err)
	require.Zero(t, n)
	var got bytes.Buffer
	_, err = io.CopyBuffer(struct{ io.Writer }{&got}, r, make([]byte, 1))
	require.NoError(t, err)
	require.NoError(t, b.Rewind(t.Context()))
	require.Equal(t, readAll(t, b), got.String())
}

func TestReaderThatIsClosedUnreadCostsNothing(t *testing.T) {
	src := &disk{t: t, content: "content"}
	b := newBody(t, nil, src.file("a.pdf"))
	require.NoError(t, open(t, b).Close())
	require.NoError(t, b.Rewind(t.Context()))
	require.Zero(t, src.opened)
	require.Contains(t, readAll(t, b), "content")
	require.Equal(t, 1, src.opened)
}

func TestNewestReaderTakesTheFile(t *testing.T) {
	src := &disk{t: t, content: "content"}
	b := newBody(t, nil, src.file("a.pdf"))
	unread, begun := open(t, b), open(t, b)
	_, err := io.ReadFull(begun, make([]byte, len(b.head)+3))
	require.NoError(t, err)

	got, err := io.ReadAll(unread)
	require.NoError(t, err)
	require.Contains(t, string(got), "content")
	_, err = begun.Read(make([]byte, 1))
	require.ErrorIs(t, err, errTaken)
	require.NoError(t, b.Err())
}

func TestNextReaderWaitsUntilItIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src, step := hanging(t)
		b := newBody(t, nil, src.file("a.pdf"))
		first := startRead(t, b, open(t, b))

		next := open(t, b)
		second := startRead(t, b, next)
		require.Empty(t, second)
		require.NoError(t, next.Close())
		require.ErrorIs(t, <-second, errClosed)

		close(step)
		require.NoError(t, <-first, "its own reader is open")
	})
}

// A panic in a goroutine of net/http's would end the program.
func TestPanicsWhileTheFileIsSent(t *testing.T) {
	type bang struct{}
	for name, change := range map[string]func(*File){
		"open": func(f *File) { f.Open = func() (io.ReadCloser, error) { panic(bang{}) } },
		"read": func(f *File) {
			f.Open = func() (io.ReadCloser, error) {
				return io.NopCloser(readFunc(func([]byte) (int, error) { panic(bang{}) })), nil
			}
		},
		"progress": func(f *File) { f.Progress = func(int64, int64) { panic(bang{}) } },
	} {
		t.Run(name, func(t *testing.T) {
			file := (&disk{t: t, content: "content"}).file("a.pdf")
			change(&file)
			b := newBody(t, nil, file)
			r := open(t, b)
			_, err := io.ReadAll(r)
			require.Equal(t, &Panic{bang{}}, err)
			require.Equal(t, err, b.Err())
			_, again := r.Read(make([]byte, 1))
			require.Equal(t, err, again)
		})
	}
}
