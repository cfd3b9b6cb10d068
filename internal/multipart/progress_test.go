package multipart

import (
	"context"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

func TestProgress(t *testing.T) {
	for name, tc := range map[string]struct{ size, total int64 }{"known": {100_000, 100_000}, "unknown": {0, -1}} {
		t.Run(name, func(t *testing.T) {
			var calls []int64
			file := (&disk{t: t, content: strings.Repeat("x", 100_000)}).file("a.pdf")
			file.Size = tc.size
			file.Progress = func(sent, total int64) {
				require.Equal(t, tc.total, total)
				calls = append(calls, sent)
			}
			b := newBody(t, [][2]string{{"type", "selfie"}}, file)
			for range 2 {
				calls = nil
				r := open(t, b)
				_, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, r, make([]byte, 32<<10))
				require.NoError(t, err)
				require.Equal(t, []int64{32 << 10, 64 << 10, 96 << 10, 100_000}, calls)
				require.NoError(t, b.Rewind(t.Context()))
			}
		})
	}
}

func TestCloseWaitsForProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &disk{t: t, content: "content"}
		calls, step := 0, make(chan struct{})
		file := src.file("a.pdf")
		file.Progress = func(int64, int64) {
			<-step
			calls++
		}
		b := newBody(t, nil, file)
		read := startRead(t, b, open(t, b))
		go close(step)
		b.Close()
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
		b.Close()
		close(step)
		require.ErrorIs(t, <-read, errClosed)
	})
}

// Progress is not called once Close has returned: not even by a reader that
// came to its report before, and that Close, its context ended, left behind.
func TestNoProgressAfterCloseOfAReportThatWaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := (&disk{t: t, content: "content"}).file("a.pdf")
		file.Progress = func(int64, int64) { t.Error("called after Close") }
		ctx, cancel := context.WithCancel(t.Context())
		b, err := New(ctx, NewBoundary(), nil, file)
		require.NoError(t, err)
		require.True(t, b.progress.busy.tryAcquire()) // a report, or another Close, is under way
		read := startRead(t, b, open(t, b))
		require.Empty(t, read)
		cancel()
		b.Close()
		b.progress.busy.release()
		<-read
	})
}
