//go:build linux || darwin

package transport

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The kernel says how much of what was written is still on its way, of a
// foreign connection, too, and takes no more than it can send soon.
func TestQueue(t *testing.T) {
	t.Parallel()
	c, other := connected(t)
	require.NoError(t, c.SetWriteDeadline(time.Now().Add(200*time.Millisecond)))
	n, err := c.Write(make([]byte, 64<<20)) // nobody reads
	require.Error(t, err)
	acked, written := c.acknowledged()
	require.EqualValues(t, n, written)
	require.Less(t, acked, written)
	foreignAcked, foreignWritten := linkOf(c.Conn).acknowledged()
	require.Equal(t, acked-written, foreignAcked)
	require.Zero(t, foreignWritten)

	buffer := make([]byte, 1<<20)
	for left := n; left > 0; {
		got, err := other.Read(buffer)
		require.NoError(t, err)
		left -= got
	}
	require.Eventually(t, func() bool { return queued(c.Conn) == 0 }, 10*time.Second, time.Millisecond)
	require.Zero(t, queued(c), "what has no socket has no queue")
}
