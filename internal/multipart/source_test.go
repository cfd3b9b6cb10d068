package multipart

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

func TestRewindKeepsWhatWasNotHandedOut(t *testing.T) {
	src := &disk{t: t, content: "%PDF-1.7"}
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
		src := &disk{t: t, content: "content"}
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
		b.Close()
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

		b.Close()
		require.Zero(t, src.closed, "the read still uses it")
		close(step)
		require.ErrorIs(t, <-read, errClosed)
		synctest.Wait()
		require.Equal(t, 1, src.closed)
	})
}

// What New and Rewind run in a goroutine of their own panics in the caller's.
func TestPanicsOfNewAndRewind(t *testing.T) {
	src := &disk{t: t, content: "content", wrap: func(io.Reader) io.Reader {
		return readFunc(func([]byte) (int, error) { panic("bang") })
	}}
	require.PanicsWithValue(t, "bang", func() { _, _ = New(t.Context(), NewBoundary(), nil, src.file("sniffed")) })
	require.Equal(t, 1, src.closed)

	b := newBody(t, nil, (&disk{t: t, content: "content"}).file("a.pdf"))
	_ = readAll(t, b)
	b.source.file.Open = func() (io.ReadCloser, error) { panic("bang") }
	require.PanicsWithValue(t, "bang", func() { _ = b.Rewind(t.Context()) })
}

// The end of a context is its error and its cause.
func TestWaitsKeepTheCauseOfTheirContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("the user went away")
		ctx, cancel := context.WithCancelCause(t.Context())
		src, step := hanging(t)
		made := make(chan error, 1)
		go func() {
			_, err := New(ctx, NewBoundary(), nil, src.file("sniffed"))
			made <- err
		}()
		synctest.Wait()
		cancel(cause)
		err := <-made
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, cause)
		close(step)

		err = newBody(t, nil, (&disk{t: t, content: "content"}).file("a.pdf")).Rewind(ctx)
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, cause)
	})
}

type onceOnly struct{ io.ReadCloser }

func (onceOnly) ReadOnce() {}

// A file that can't be read again is not waited for when its Read hangs.
func TestRewindDoesNotWaitForWhatCanNotBeReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src, step := hanging(t)
		file := src.file("a.pdf")
		inner := file.Open
		file.Open = func() (io.ReadCloser, error) {
			rc, err := inner()
			return onceOnly{rc}, err
		}
		b := newBody(t, nil, file)
		require.NoError(t, b.Rewind(t.Context()), "nothing was read")
		read := startRead(t, b, open(t, b))
		synctest.Wait()
		require.ErrorIs(t, b.Rewind(t.Context()), errSpent)
		close(step)
		<-read
	})
}
