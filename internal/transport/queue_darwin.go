package transport

import (
	"net"
	"syscall"
)

// tcpNotSentLowat is TCP_NOTSENT_LOWAT of netinet/tcp.h, which package syscall
// does not have everywhere.
const tcpNotSentLowat = 0x201

// bound keeps the kernel from taking more of what is written than it can send
// soon, so that small calls don't wait behind megabytes of an upload.
func bound(conn net.Conn) {
	control(conn, func(fd uintptr) {
		// Without it, the queue is only longer.
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpNotSentLowat, maxNotSent)
	})
}

// queued is how many bytes that were written the other side has not
// acknowledged yet; 0 if that is not known.
func queued(conn net.Conn) int64 {
	n := 0
	control(conn, func(fd uintptr) {
		n, _ = syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_NWRITE)
	})
	return int64(n)
}
