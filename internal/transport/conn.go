package transport

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// ownConn is a connection of the SDK's own transports, below TLS. It knows what
// has come and gone on it, and it gives the other side a last word.
type ownConn struct {
	net.Conn
	opened  time.Time
	heard   atomic.Int64 // when something came, after opened
	written atomic.Int64

	mu      sync.Mutex
	acked   int64
	waiting int64         // bytes that were not acknowledged when last looked at
	movedAt time.Duration // when some of them were seen to have been, after opened

	closing sync.Once
	ended   chan struct{} // closed when nothing can come any more
}

// dial is a [net.Dialer]'s DialContext for own connections.
func dial(dialer *net.Dialer) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dialer.DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		bound(c)
		return &ownConn{Conn: c, opened: time.Now(), ended: make(chan struct{})}, nil
	}
}

func (c *ownConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.heard.Store(int64(time.Since(c.opened)))
	}
	if err != nil {
		c.end()
	}
	return n, err
}

// lastWord is how long a failed write waits for what the other side has sent
// before it closed.
const lastWord = time.Second

// Write does not fail before all that has come is read. A server that refuses
// an upload by its header answers and closes. Package net/http would take the
// failed write for the end, and lose the answer.
func (c *ownConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.written.Add(int64(n))
	if err != nil {
		timer := time.NewTimer(lastWord)
		defer timer.Stop()
		select {
		case <-c.ended:
		case <-timer.C:
		}
	}
	return n, err
}

// SetWriteDeadline is what package tls does before it closes the connection: its
// farewell must not wait.
func (c *ownConn) SetWriteDeadline(t time.Time) error {
	c.end()
	return c.Conn.SetWriteDeadline(t)
}

func (c *ownConn) Close() error {
	c.end()
	return c.Conn.Close()
}

func (c *ownConn) end() { c.closing.Do(func() { close(c.ended) }) }

func (c *ownConn) acknowledged() (acked, written int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.look()
}

// settle asks the kernel only where an earlier look left something open, as
// nearly none does.
func (c *ownConn) settle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting > 0 {
		c.look()
	}
}

// look is called under the lock.
func (c *ownConn) look() (acked, written int64) {
	written = c.written.Load()
	waiting := queued(c.Conn)
	acked = written - waiting
	if c.waiting > 0 && acked > c.acked {
		c.movedAt = time.Since(c.opened)
	}
	c.acked, c.waiting = acked, waiting
	return acked, written
}

// silent counts bytes that leave slowly as a sign of life, because the request for
// one may wait behind them.
func (c *ownConn) silent(d time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Since(c.opened)-max(c.movedAt, time.Duration(c.heard.Load())) >= d
}

func (c *ownConn) drop() { _ = c.Close() }
