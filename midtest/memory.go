package midtest

import (
	"context"
	"errors"
	"net"
	"sync"
)

// memoryListener accepts connections that never leave the process. They are
// made of channels, so that a synctest bubble knows when all of them are idle.
type memoryListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newMemoryListener() *memoryListener {
	return &memoryListener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (m *memoryListener) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case m.conns <- theirs:
		return ours, nil
	case <-m.closed:
		return nil, errors.New("midtest: the server is closed")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (m *memoryListener) Accept() (net.Conn, error) {
	select {
	case c := <-m.conns:
		return c, nil
	case <-m.closed:
		return nil, net.ErrClosed
	}
}

func (m *memoryListener) Close() error {
	m.once.Do(func() { close(m.closed) })
	return nil
}

func (m *memoryListener) Addr() net.Addr { return memoryAddr{} }

// memoryAddr reads as a loopback host, so that clients that refuse plain HTTP
// elsewhere accept it.
type memoryAddr struct{}

func (memoryAddr) Network() string { return "memory" }
func (memoryAddr) String() string  { return "localhost" }
