package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"
)

// TimeoutError says that an attempt made no progress.
type TimeoutError struct{ After time.Duration }

func (e *TimeoutError) Error() string {
	return fmt.Sprintf("no progress for %v (the attempt timeout)", e.After)
}

// Timeout is true, as in [net.Error].
func (*TimeoutError) Timeout() bool { return true }

// watch ends an attempt that makes no progress. Progress is a connection, a byte of
// the answer, or a byte of the body that net/http reads. The kernel takes more of a
// body than a slow link can carry in time, so a byte of the body that the other side
// acknowledges is progress too.
type watch struct {
	cancel  context.CancelCauseFunc
	trace   httptrace.ClientTrace
	timeout time.Duration
	timer   *time.Timer
	began   time.Time
	moved   atomic.Int64 // the latest progress, after began
	body    io.ReadCloser
	sent    atomic.Bool // the body was read to its end
	large   bool        // the body is watched

	mu        sync.Mutex
	over      bool
	link      link  // nil before there is a connection
	http2     bool  // what link speaks
	acked     int64 // what link had acknowledged when last looked at
	last      int64 // where the body ends in what link has written; 0: not known yet
	handshake error // of TLS, in which the sides could not agree
}

// hooks are called by package net/http, by a dial that another request goes on
// with even after the attempt.
func (w *watch) hooks() *httptrace.ClientTrace {
	w.trace.GotConn = w.gotConn
	w.trace.TLSHandshakeDone = w.handshakeDone
	return &w.trace
}

func (w *watch) gotConn(info httptrace.GotConnInfo) {
	conn := info.Conn
	w.mu.Lock()
	defer w.mu.Unlock()
	w.http2 = false
	for {
		t, ok := conn.(*tls.Conn)
		if !ok {
			break
		}
		w.http2 = w.http2 || t.ConnectionState().NegotiatedProtocol == "h2"
		conn = t.NetConn()
	}
	w.link = linkOf(conn)
	if w.large {
		w.acked, _ = w.link.acknowledged()
	} else {
		w.link.settle()
	}
	w.last = 0
	w.progress()
}

func (w *watch) handshakeDone(_ tls.ConnectionState, err error) {
	if err == nil || !isDisagreement(err) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.handshake = err
}

// marked is the error of the attempt, with what the hooks know of it.
func (w *watch) marked(err error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.handshake != nil && errors.Is(err, w.handshake) {
		return &handshakeError{err}
	}
	return err
}

// start begins the time. It looks more often than the timeout, so as to see
// acknowledged bytes move.
func (w *watch) start(timeout time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timeout, w.began = timeout, time.Now()
	w.timer = time.AfterFunc(w.interval(), w.look)
}

func (w *watch) interval() time.Duration { return max(w.timeout/4, 1) }

func (w *watch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	w.timer.Stop()
}

func (w *watch) progress() { w.moved.Store(int64(time.Since(w.began))) }

func (w *watch) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		return
	}
	w.lookAtLink()
	quiet := time.Since(w.began) - time.Duration(w.moved.Load())
	if quiet < w.timeout {
		w.timer.Reset(min(w.interval(), w.timeout-quiet))
		return
	}
	if w.link != nil && w.link.silent(w.timeout) {
		w.link.drop() // or the next attempt would go to it as well
	}
	w.cancel(&TimeoutError{w.timeout})
}

// lookAtLink takes acknowledged bytes for progress, as long as the body's may
// be among them: others send on an HTTP/2 connection, too.
func (w *watch) lookAtLink() {
	if w.link == nil {
		return
	}
	acked, written := w.link.acknowledged()
	if w.large && acked > w.acked && (w.last == 0 || w.acked < w.last) {
		w.progress()
	}
	w.acked = acked
	if w.last == 0 && w.sent.Load() {
		w.last = written
	}
}

// http2Link reports whether the attempt has a connection, and one of HTTP/2.
func (w *watch) http2Link() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.http2
}

// gotFar reports whether there was a connection, or a TLS handshake that
// failed.
func (w *watch) gotFar() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.link != nil || w.handshake != nil
}

// watched has the reads of a body noted.
func (w *watch) watched(body io.ReadCloser) io.ReadCloser {
	if w.large {
		w.sent.Store(false)
		return &watchedBody{body, w}
	}
	return body
}

type watchedBody struct {
	io.ReadCloser
	watch *watch
}

func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.watch.progress()
	}
	if err != nil {
		b.watch.sent.Store(true)
	}
	return n, err
}

// link is what there is to know about a connection.
type link interface {
	// acknowledged counts the bytes that the other side has acknowledged, and
	// those that were written. Both may be off by the same number.
	acknowledged() (acked, written int64)
	// settle looks at bytes that were seen waiting, which may be long ago: that
	// they have gone since is no sign of life of now.
	settle()
	// silent reports whether nothing at all has come for d, though the other
	// side was asked for a sign of life.
	silent(d time.Duration) bool
	// drop closes the connection.
	drop()
}

func linkOf(conn net.Conn) link {
	if own, ok := conn.(*ownConn); ok {
		return own
	}
	return foreign{conn}
}

// foreign is a connection of a transport that is not the SDK's.
type foreign struct{ conn net.Conn }

func (f foreign) acknowledged() (acked, written int64) { return -queued(f.conn), 0 }
func (foreign) settle()                                {}
func (foreign) silent(time.Duration) bool              { return false }
func (foreign) drop()                                  {}
