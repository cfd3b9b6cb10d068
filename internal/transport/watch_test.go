package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http/httptrace"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// slow is a connection that the other side acknowledges at a rate.
type slow struct {
	began   time.Time
	rate    int64 // bytes a second
	written int64
	quiet   bool
	dropped bool
}

func (s *slow) acknowledged() (acked, written int64) {
	return min(s.rate*int64(time.Since(s.began)/time.Second), s.written), s.written
}
func (*slow) settle()                     {}
func (s *slow) silent(time.Duration) bool { return s.quiet }
func (s *slow) drop()                     { s.dropped = true }

// watching returns an attempt's watchdog, started, and its context.
func watching(t *testing.T, l link, large bool) (*watch, context.Context) {
	ctx, cancel := context.WithCancelCause(t.Context())
	w := &watch{cancel: cancel, large: large, link: l}
	w.start(10 * time.Second)
	t.Cleanup(w.stop)
	return w, ctx
}

// Bytes that the other side acknowledges are progress, though all were handed
// to the kernel long ago; what follows them on the connection is not.
func TestAcknowledgedBytesAreProgress(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		large  bool
		others int64 // bytes that others write after the body
		rate   int64
		want   time.Duration
	}{
		"upload":                {true, 0, 1, 60*time.Second + 10*time.Second},
		"upload before others'": {true, 600, 1, 60*time.Second + 10*time.Second},
		"upload that stalls":    {true, 0, 0, 10 * time.Second},
		"small request":         {false, 600, 1, 10 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			l := &slow{began: time.Now(), rate: tt.rate, written: 60}
			w, ctx := watching(t, l, tt.large)
			w.sent.Store(true)
			time.Sleep(3 * time.Second) // the body's end has been looked at
			w.mu.Lock()
			l.written += tt.others
			w.mu.Unlock()
			<-ctx.Done()
			_, ok := errors.AsType[*TimeoutError](context.Cause(ctx))
			require.True(t, ok)
			require.InDelta(t, tt.want, time.Since(l.began), float64(2500*time.Millisecond), name)
			require.False(t, l.dropped)
		})
	}
}

// The timeout is exact where no byte moves, counted from the latest progress.
func TestTimeoutIsExact(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		w, ctx := watching(t, nil, false)
		time.Sleep(7 * time.Second)
		w.progress()
		<-ctx.Done()
		require.Equal(t, 17*time.Second, time.Since(began))
	})
}

// A connection on which nothing comes is closed with the attempt, so that no
// further one goes to it. One that speaks is left to the others.
func TestSilentConnectionIsDropped(t *testing.T) {
	t.Parallel()
	for _, quiet := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			l := &slow{began: time.Now(), quiet: quiet}
			_, ctx := watching(t, l, false)
			<-ctx.Done()
			synctest.Wait()
			require.Equal(t, quiet, l.dropped)
		})
	}
}

// A failed handshake marks the error that it caused, and no other.
func TestHandshakeMarksItsError(t *testing.T) {
	t.Parallel()
	w := new(watch)
	failed := errors.New("tls: anything")
	require.Equal(t, failed, w.marked(failed))
	w.handshakeDone(tls.ConnectionState{}, failed)
	require.Equal(t, &handshakeError{failed}, w.marked(failed))
	require.Equal(t, io.EOF, w.marked(io.EOF))
	w = new(watch)
	w.handshakeDone(tls.ConnectionState{}, io.EOF)
	require.Equal(t, io.EOF, w.marked(io.EOF))
}

// A connection is looked at below TLS, however many layers of it there are.
func TestConnectionBelowTLS(t *testing.T) {
	t.Parallel()
	own := &ownConn{Conn: new(net.TCPConn), opened: time.Now()}
	w := new(watch)
	w.gotConn(httptrace.GotConnInfo{Conn: tls.Client(tls.Client(own, &tls.Config{}), &tls.Config{})})
	require.Equal(t, link(own), w.link)
	require.True(t, w.gotFar())
	require.False(t, w.http2Link())
}
