package transport

import (
	"net"
	"syscall"
	"unsafe"
)

// tcpNotSentLowat is TCP_NOTSENT_LOWAT of linux/tcp.h, which package syscall
// does not have.
const tcpNotSentLowat = 25

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
	var n int32
	control(conn, func(fd uintptr) {
		// SIOCOUTQ is TIOCOUTQ by another name.
		_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, fd, syscall.TIOCOUTQ, uintptr(unsafe.Pointer(&n))) //nolint:gosec // as ioctl wants it
		if errno != 0 {
			n = 0
		}
	})
	return int64(n)
}
