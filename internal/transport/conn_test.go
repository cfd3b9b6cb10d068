package transport

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// connected returns both ends of a connection on loopback, the first one the
// SDK's own.
func connected(t *testing.T) (*ownConn, net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	c, err := dial(new(net.Dialer))(t.Context(), "tcp", l.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	other, err := l.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { _ = other.Close() })
	return c.(*ownConn), other
}

// A connection is silent when nothing has come for a time; bytes that are still
// on their way, and move, are a sign of life.
func TestSilence(t *testing.T) {
	t.Parallel()
	c, other := connected(t)
	require.True(t, c.silent(0))
	require.False(t, c.silent(time.Minute))
	c.opened = c.opened.Add(-time.Hour)
	require.True(t, c.silent(time.Minute))
	_, err := other.Write([]byte("hello"))
	require.NoError(t, err)
	_, err = c.Read(make([]byte, 5))
	require.NoError(t, err)
	require.False(t, c.silent(time.Minute))
	c.opened = c.opened.Add(-time.Hour)
	require.True(t, c.silent(time.Minute))

	// What was acknowledged at once says nothing: any kernel, or a proxy's, does that.
	_, err = c.Write([]byte("ping"))
	require.NoError(t, err)
	require.Eventually(t, func() bool { acked, written := c.acknowledged(); return acked == written }, 10*time.Second, time.Millisecond)
	require.True(t, c.silent(time.Minute))
	c.waiting = 1 // seen waiting before
	c.acked--
	_, _ = c.acknowledged()
	require.False(t, c.silent(time.Minute))
}

// After its end was announced, a connection's last write waits for nothing.
func TestFarewellDoesNotWait(t *testing.T) {
	t.Parallel()
	c, other := connected(t)
	require.NoError(t, c.Conn.Close()) // so that any write fails
	_ = other.Close()
	began := time.Now()
	require.NoError(t, ignoreClosed(c.SetWriteDeadline(time.Now().Add(time.Minute))))
	_, err := c.Write([]byte("farewell"))
	require.Error(t, err)
	require.Less(t, time.Since(began), lastWord)
}

func ignoreClosed(err error) error {
	if is[*net.OpError](err) {
		return nil
	}
	return err
}
