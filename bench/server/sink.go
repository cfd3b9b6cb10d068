package server

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"sync/atomic"
)

// Sink is an HTTP/1.1 server that swallows uploads of any size in constant
// memory. It can cut a connection half-way through a body.
type Sink struct {
	// URL is its base URL, without a path.
	URL string

	listener net.Listener
	answer   []byte
	sum      bool
	cuts     atomic.Int64
	last     atomic.Pointer[[sha256.Size]byte]
}

// StartSink serves on a free loopback port until Close and answers every upload
// with body. If sum is set it takes the form apart and sums its file up, see
// Sum.
func StartSink(body string, sum bool) (*Sink, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Sink{URL: "http://" + l.Addr().String(), listener: l, answer: Answer(body), sum: sum}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go s.serve(conn)
		}
	}()
	return s, nil
}

// Close stops listening. Connections last until their clients close them.
func (s *Sink) Close() { _ = s.listener.Close() }

// Cut has the next n uploads end half-way with a reset connection.
func (s *Sink) Cut(n int) { s.cuts.Store(int64(n)) }

// Sum is the SHA-256 of the file in the latest upload that was whole.
func (s *Sink) Sum() (sum [sha256.Size]byte, ok bool) {
	if last := s.last.Load(); last != nil {
		return *last, true
	}
	return sum, false
}

func (s *Sink) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	in := bufio.NewReaderSize(conn, 64<<10)
	for {
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		if s.cuts.Add(-1) >= 0 {
			_, _ = io.CopyN(io.Discard, req.Body, req.ContentLength/2)
			_ = conn.(*net.TCPConn).SetLinger(0) // a reset, not an end
			return
		}
		if err := s.swallow(req); err != nil {
			return
		}
		if _, err := conn.Write(s.answer); err != nil {
			return
		}
	}
}

func (s *Sink) swallow(req *http.Request) error {
	if !s.sum {
		_, err := io.Copy(io.Discard, req.Body)
		return err
	}
	_, params, err := mime.ParseMediaType(req.Header.Get("Content-Type"))
	if err != nil {
		return err
	}
	form := multipart.NewReader(req.Body, params["boundary"])
	for {
		part, err := form.NextPart()
		if err != nil {
			return fmt.Errorf("the form has no file: %w", err)
		}
		if part.FileName() == "" {
			continue
		}
		h := sha256.New()
		if _, err := io.Copy(h, part); err != nil {
			return err
		}
		s.last.Store((*[sha256.Size]byte)(h.Sum(nil)))
		_, err = io.Copy(io.Discard, req.Body)
		return err
	}
}
