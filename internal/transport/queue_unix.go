//go:build linux || darwin

package transport

import (
	"net"
	"syscall"
)

// maxNotSent is how many bytes the kernel may hold that it has not begun to
// send, which leaves it enough to do between two writes.
const maxNotSent = 64 << 10

// control calls f with the socket of a connection that has one.
func control(conn net.Conn, f func(fd uintptr)) {
	c, ok := conn.(syscall.Conn)
	if !ok {
		return
	}
	if raw, err := c.SyscallConn(); err == nil {
		_ = raw.Control(f) // fails when the connection is closed
	}
}
