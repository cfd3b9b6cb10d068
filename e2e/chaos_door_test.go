package e2e_test

import (
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// door is the listener of a server that is restarted: the address goes away with
// every connection and comes back, and the server keeps its state.
type door struct {
	mu      sync.Mutex
	changed sync.Cond
	inner   net.Listener // nil while the door is shut
	conns   map[*doorConn]struct{}
	closed  bool
}

type doorConn struct {
	*net.TCPConn
	door *door
}

func newDoor(t *testing.T) *door {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	d := &door{inner: l, conns: map[*doorConn]struct{}{}}
	d.changed.L = &d.mu
	return d
}

// Accept waits while the door is shut.
func (d *door) Accept() (net.Conn, error) {
	for {
		l := d.open()
		if l == nil {
			return nil, net.ErrClosed
		}
		conn, err := l.Accept()
		if err != nil {
			continue // the next round waits until the door is open again
		}
		c := &doorConn{conn.(*net.TCPConn), d}
		d.mu.Lock()
		d.conns[c] = struct{}{}
		d.mu.Unlock()
		return c, nil
	}
}

func (d *door) open() net.Listener {
	d.mu.Lock()
	defer d.mu.Unlock()
	for d.inner == nil && !d.closed {
		d.changed.Wait()
	}
	if d.closed {
		return nil
	}
	return d.inner
}

// restart shuts the door for a while. With reset, connections end as those of a
// process that crashed.
func (d *door) restart(t *testing.T, pause time.Duration, reset bool) {
	t.Helper()
	d.mu.Lock()
	l := d.inner
	d.inner = nil
	conns := make([]*doorConn, 0, len(d.conns))
	for c := range d.conns {
		conns = append(conns, c)
	}
	d.mu.Unlock()
	_ = l.Close()
	for _, c := range conns {
		if reset {
			_ = c.SetLinger(0) // it fails if the connection has ended
		}
		_ = c.Close()
	}
	time.Sleep(pause)
	var again net.Listener
	require.Eventually(t, func() (ok bool) {
		var err error
		again, err = net.Listen("tcp", l.Addr().String())
		return err == nil
	}, 20*time.Second, 5*time.Millisecond, "the address is free again")
	d.mu.Lock()
	defer d.mu.Unlock()
	d.inner = again
	d.changed.Broadcast()
}

// Close closes the door for good.
func (d *door) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	d.changed.Broadcast()
	return d.inner.Close()
}

// Addr is the same before and after a restart.
func (d *door) Addr() net.Addr {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.inner.Addr()
}

func (c *doorConn) Close() error {
	c.door.mu.Lock()
	delete(c.door.conns, c)
	c.door.mu.Unlock()
	return c.TCPConn.Close()
}
