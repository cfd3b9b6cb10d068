package multipart

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

func TestReplayIsByteForByte(t *testing.T) {
	for _, name := range []string{"a.pdf", "sniffed"} {
		t.Run(name, func(t *testing.T) {
			src := &source{t: t, content: strings.Repeat("0123456789", 1000)}
			b := newBody(t, [][2]string{{"type", "selfie"}}, src.file(name))
			first := readAll(t, b)
			for range 3 {
				require.NoError(t, b.Rewind(t.Context()))
				require.Equal(t, first, readAll(t, b))
			}
			require.Equal(t, 4, src.opened)
			require.Equal(t, 3, src.closed)
			require.NoError(t, b.Close())
			require.NoError(t, b.Close())
			require.Equal(t, 4, src.closed)
		})
	}
}

func TestReplayWithoutRewind(t *testing.T) {
	src := &source{t: t, content: "content"}
	b := newBody(t, nil, src.file("a.pdf"))
	first := readAll(t, b)
	require.Equal(t, first, readAll(t, b))
	require.Equal(t, 2, src.opened)
}

func TestReaderThatIsClosedUnreadCostsNothing(t *testing.T) {
	src := &source{t: t, content: "content"}
	b := newBody(t, nil, src.file("a.pdf"))
	require.NoError(t, open(t, b).Close())
	require.NoError(t, b.Rewind(t.Context()))
	require.Zero(t, src.opened)
	require.Contains(t, readAll(t, b), "content")
	require.Equal(t, 1, src.opened)
}

func TestRewindKeepsWhatWasNotHandedOut(t *testing.T) {
	src := &source{t: t, content: "%PDF-1.7"}
	b := newBody(t, nil, src.file("sniffed"))
	src.openErr = errors.New("only once")

	r := open(t, b)
	_, err := io.ReadFull(r, make([]byte, len(b.head)))
	require.NoError(t, err)
	require.NoError(t, b.Rewind(t.Context()), "only the head was sent")

	r = open(t, b)
	_, err = io.ReadFull(r, make([]byte, len(b.head)+1))
	require.NoError(t, err)
	require.ErrorIs(t, b.Rewind(t.Context()), src.openErr)
	require.NoError(t, b.Err(), "the attempt itself went well")
	require.Equal(t, 1, src.closed)
}

func TestRewindClosesEarlierReaders(t *testing.T) {
	src := &source{t: t, content: "content"}
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

func TestNewestReaderTakesTheFile(t *testing.T) {
	src := &source{t: t, content: "content"}
	b := newBody(t, nil, src.file("a.pdf"))
	unread, begun := open(t, b), open(t, b)
	_, err := io.ReadFull(begun, make([]byte, len(b.head)+3))
	require.NoError(t, err)

	got, err := io.ReadAll(unread)
	require.NoError(t, err)
	require.Contains(t, string(got), "content")
	_, err = begun.Read(make([]byte, 1))
	require.ErrorIs(t, err, errClosed)
	require.NoError(t, b.Err())
}

func TestClosed(t *testing.T) {
	src := &source{t: t, content: "content"}
	b := newBody(t, nil, src.file("sniffed"))
	r := open(t, b)
	require.NoError(t, r.Close())
	require.NoError(t, r.Close())
	_, err := r.Read(make([]byte, 1))
	require.ErrorIs(t, err, errClosed)

	r = open(t, b)
	require.NoError(t, b.Close())
	_, err = r.Read(make([]byte, 1))
	require.ErrorIs(t, err, errClosed)
	_, err = b.Open()
	require.ErrorIs(t, err, errClosed)
	require.ErrorIs(t, b.Rewind(t.Context()), errClosed)
	require.Equal(t, 1, src.closed)
}

// hanging is a source whose reads wait for a value of its channel.
func hanging(t *testing.T) (*source, chan struct{}) {
	step := make(chan struct{})
	return &source{t: t, content: "content", wrap: func(r io.Reader) io.Reader { return stepReader{r, step} }}, step
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

func TestRewindWaitsForAReadUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src, step := hanging(t)
		b := newBody(t, nil, src.file("a.pdf"))
		read := startRead(t, b, open(t, b))

		rewound := make(chan error, 1)
		go func() { rewound <- b.Rewind(t.Context()) }()
		synctest.Wait()
		require.Empty(t, rewound)
		require.Equal(t, 1, src.opened)

		step <- struct{}{}
		require.NoError(t, <-rewound)
		require.ErrorIs(t, <-read, errClosed)
		require.Equal(t, 2, src.opened)
		require.Equal(t, 1, src.closed)

		close(step)
		require.Contains(t, readAll(t, b), "content")
	})
}

func TestRewindEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src, step := hanging(t)
		b := newBody(t, nil, src.file("a.pdf"))
		read := startRead(t, b, open(t, b))

		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, b.Rewind(ctx), context.Canceled)
		require.Zero(t, src.closed)

		close(step)
		require.ErrorIs(t, <-read, errClosed)
	})
}

func TestRewindDoesNotWaitForAnOpenBeyondItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &source{t: t, content: "content"}
		step := make(chan struct{}, 1)
		file := src.file("a.pdf")
		file.Open = func() (io.ReadCloser, error) {
			<-step
			return src.open()
		}
		step <- struct{}{}
		b := newBody(t, nil, file)
		_ = readAll(t, b)

		ctx, cancel := context.WithCancel(t.Context())
		rewound := make(chan error, 1)
		go func() { rewound <- b.Rewind(ctx) }()
		synctest.Wait()
		require.Equal(t, 1, src.closed, "it is in Open")
		cancel()
		require.ErrorIs(t, <-rewound, context.Canceled)
		require.NoError(t, b.Close())
		step <- struct{}{}
		synctest.Wait()
		require.Equal(t, 2, src.opened)
		require.Equal(t, 2, src.closed, "what came too late is closed as well")
	})
}

func TestSniffingDoesNotOutliveItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src, step := hanging(t)
		ctx, cancel := context.WithCancel(t.Context())
		made := make(chan error, 1)
		go func() {
			_, err := New(ctx, NewBoundary(), nil, src.file("sniffed"))
			made <- err
		}()
		synctest.Wait()
		cancel()
		require.ErrorIs(t, <-made, context.Canceled)
		require.Zero(t, src.closed, "the read still uses it")
		close(step)
		synctest.Wait()
		require.Equal(t, 1, src.closed)
	})
}

func TestCloseDoesNotWaitForARead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src, step := hanging(t)
		b := newBody(t, nil, src.file("a.pdf"))
		read := startRead(t, b, open(t, b))

		require.NoError(t, b.Close())
		require.Zero(t, src.closed, "the read still uses it")
		close(step)
		require.ErrorIs(t, <-read, errClosed)
		synctest.Wait()
		require.Equal(t, 1, src.closed)
	})
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

func TestCloseWaitsForProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &source{t: t, content: "content"}
		calls, step := 0, make(chan struct{})
		file := src.file("a.pdf")
		file.Progress = func(int64, int64) {
			<-step
			calls++
		}
		b := newBody(t, nil, file)
		read := startRead(t, b, open(t, b))
		go close(step)
		require.NoError(t, b.Close())
		require.Equal(t, 1, calls)
		<-read
		require.Equal(t, 1, calls)
	})
}

func TestNoProgressOfAClosedReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src, step := hanging(t)
		file := src.file("a.pdf")
		file.Progress = func(int64, int64) { t.Error("called after Close") }
		b := newBody(t, nil, file)
		read := startRead(t, b, open(t, b))
		require.NoError(t, b.Close())
		close(step)
		require.ErrorIs(t, <-read, errClosed)
	})
}

// Progress is not called once Close has returned: not even by a reader that
// came to its report before, and that Close, its context ended, left behind.
func TestNoProgressAfterCloseOfAReportThatWaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := (&source{t: t, content: "content"}).file("a.pdf")
		file.Progress = func(int64, int64) { t.Error("called after Close") }
		ctx, cancel := context.WithCancel(t.Context())
		b, err := New(ctx, NewBoundary(), nil, file)
		require.NoError(t, err)
		b.reporting <- struct{}{} // a report, or another Close, is under way
		read := startRead(t, b, open(t, b))
		require.Empty(t, read)
		cancel()
		require.NoError(t, b.Close())
		<-b.reporting
		<-read
	})
}
