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
	const size = 64 << 20
	written := make(chan error, 1)
	go func() {
		_, err := c.Write(make([]byte, size)) // until someone reads
		written <- err
	}()
	require.Eventually(t, func() bool { return queued(c.Conn) > 0 }, 10*time.Second, time.Millisecond)
	require.Empty(t, written)
	acked, _ := linkOf(c.Conn).acknowledged()
	require.Negative(t, acked)

	buffer := make([]byte, 1<<20)
	for left := size; left > 0; {
		got, err := other.Read(buffer)
		require.NoError(t, err)
		left -= got
	}
	require.NoError(t, <-written)
	require.Eventually(t, func() bool { acked, all := c.acknowledged(); return acked == all && all == size }, 10*time.Second, time.Millisecond)
	require.Zero(t, queued(c), "what has no socket has no queue")
}
