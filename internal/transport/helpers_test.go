package transport

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// pipe is a pipeline without a token and a limit.
func pipe(wire http.RoundTripper, timeout time.Duration, retries int) *Retry {
	limit := &Limit{
		Next:    &Bearer{Next: &Attempt{Next: wire, Timeout: timeout}},
		Wait:    func(context.Context) error { return nil },
		Observe: func(*http.Response, bool) {},
		Places:  new(Places),
	}
	return &Retry{
		Policy: Policy{MaxRetries: retries, MinWait: time.Millisecond, MaxWait: time.Millisecond, MaxRetryAfter: time.Minute},
		Next:   &http.Client{Transport: limit, CheckRedirect: NoRedirects},
	}
}

// callTo makes a call to a server.
func callTo(ctx context.Context, t *testing.T, method, address string, body Body) *Call {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, address, http.NoBody)
	require.NoError(t, err)
	call := newCall(ctx, method, body)
	call.URL = *req.URL
	call.Header = append(call.Header, Field{"Idempotency-Key", "key"})
	return call
}

// reply is an answer of a round tripper.
func reply(status int, body io.Reader) *http.Response {
	return &http.Response{StatusCode: status, ProtoMajor: 1, Header: http.Header{}, Body: io.NopCloser(body), ContentLength: -1}
}

// file is a body that can be opened again.
type file struct {
	open   func() (io.ReadCloser, error)
	length int64
}

func (f file) Open() (io.ReadCloser, error) { return f.open() }
func (file) Rewind(context.Context) error   { return nil }
func (f file) ContentLength() int64         { return f.length }
func (file) Err() error                     { return nil }
func fileOf(data []byte) file {
	return file{func() (io.ReadCloser, error) { return io.NopCloser(&plain{bytes.NewReader(data)}), nil }, int64(len(data))}
}
func fileFrom(read func([]byte) (int, error)) file {
	return file{func() (io.ReadCloser, error) { return io.NopCloser(readerFunc(read)), nil }, -1}
}

// plain hides what else a reader can do.
type plain struct{ io.Reader }

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// h2Frame is a frame of HTTP/2 as it is on the wire (RFC 9113 section 4.1).
type h2Frame struct {
	kind, flags byte
	stream      uint32
	payload     []byte
}

const (
	h2Data, h2Headers, h2Reset, h2Settings, h2Ping, h2Goaway = 0, 1, 3, 4, 6, 7

	h2EndStream, h2EndHeaders, h2Ack = 1, 4, 1
)

// h2Conn is the server's side of a connection, frame by frame: what package
// net/http's own server would not do.
type h2Conn struct {
	net.Conn
	number int // counts connections from 1
}

func (c *h2Conn) send(f h2Frame) {
	head := make([]byte, 9, 9+len(f.payload))
	binary.BigEndian.PutUint32(head, uint32(len(f.payload))<<8)
	head[3], head[4] = f.kind, f.flags
	binary.BigEndian.PutUint32(head[5:], f.stream)
	_, _ = c.Write(append(head, f.payload...))
}

// answer sends a 200 without a body: its status is entry 8 of the static table.
func (c *h2Conn) answer(stream uint32) {
	c.send(h2Frame{h2Headers, h2EndHeaders | h2EndStream, stream, []byte{0x88}})
}

func (c *h2Conn) goaway(last uint32) {
	c.send(h2Frame{kind: h2Goaway, payload: binary.BigEndian.AppendUint32(nil, last), flags: 0}.padded(8))
}

func (f h2Frame) padded(n int) h2Frame {
	for len(f.payload) < n {
		f.payload = append(f.payload, 0)
	}
	return f
}

func (c *h2Conn) next() (h2Frame, error) {
	head := make([]byte, 9)
	if _, err := io.ReadFull(c, head); err != nil {
		return h2Frame{}, err
	}
	f := h2Frame{head[3], head[4], binary.BigEndian.Uint32(head[5:]), nil}
	f.payload = make([]byte, binary.BigEndian.Uint32(append([]byte{0}, head[:3]...)))
	_, err := io.ReadFull(c, f.payload)
	return f, err
}

// h2Server accepts connections and has handle called with each of their frames,
// after the settings were exchanged. It returns its address and a transport that
// trusts it.
func h2Server(t *testing.T, handle func(*h2Conn, h2Frame)) (string, *http.Transport) {
	t.Helper()
	pair := httptest.NewUnstartedServer(nil)
	pair.StartTLS()
	t.Cleanup(pair.Close)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: pair.TLS.Certificates, NextProtos: []string{"h2"}})
	require.NoError(t, err)
	var all sync.WaitGroup
	t.Cleanup(func() { _ = l.Close(); all.Wait() })
	all.Go(func() {
		for n := 1; ; n++ {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer conn.Close()
				stop := context.AfterFunc(t.Context(), func() { _ = conn.Close() })
				defer stop()
				c := &h2Conn{conn, n}
				if _, err := io.ReadFull(c, make([]byte, len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))); err != nil {
					return
				}
				c.send(h2Frame{kind: h2Settings})
				for {
					f, err := c.next()
					if err != nil {
						return
					}
					handle(c, f)
				}
			})
		}
	})
	tr := Default(time.Minute)
	tr.TLSClientConfig.RootCAs = x509.NewCertPool()
	tr.TLSClientConfig.RootCAs.AddCert(pair.Certificate())
	t.Cleanup(tr.CloseIdleConnections)
	return "https://" + l.Addr().String() + "/v1/x", tr
}

// rawServer answers whatever comes first with some bytes, and closes. It counts
// its connections.
func rawServer(t *testing.T, answer []byte) (string, *atomic.Int32) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var dialed atomic.Int32
	var all sync.WaitGroup
	t.Cleanup(func() { _ = l.Close(); all.Wait() })
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			dialed.Add(1)
			all.Go(func() {
				defer conn.Close()
				_, _ = conn.Read(make([]byte, 64<<10))
				_, _ = conn.Write(answer)
				_ = conn.(*net.TCPConn).CloseWrite()
				_, _ = io.Copy(io.Discard, conn)
			})
		}
	})
	return l.Addr().String(), &dialed
}

func newCall(ctx context.Context, method string, body Body) *Call {
	c := &Call{Body: body}
	c.Begin(ctx, method)
	return c
}

func bytesOf(text string) *Bytes { return &Bytes{data: []byte(text)} }
