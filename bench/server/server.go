// Package server is an HTTP/1.1 server that answers without allocating, so that
// what a benchmark in the same process counts belongs to the client.
//
// It frames requests by Content-Length or the chunked coding and looks at
// nothing else but the method: a GET gets one ready-made answer, everything
// else another.
package server

import (
	"bytes"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
)

// Header is what every answer carries besides its length. The quota never runs
// low, and its window ends in another century.
var Header = [][2]string{
	{"Date", "Mon, 02 Nov 2026 10:00:00 GMT"},
	{"Content-Type", "application/json; charset=utf-8"},
	{"Cache-Control", "no-store"},
	{"Request-Id", "req_2bQd9mXf4kLr7T"},
	{"X-Request-Id", "8f14e45f-ceea-467f-a0e6-2c1b3d4e5f60"},
	{"X-RateLimit-Limit", "5000"},
	{"X-RateLimit-Remaining", "4987"},
	{"X-RateLimit-Reset", "4102444800"},
}

// Answer is a whole 200 answer with the given body, as it goes over the wire.
func Answer(body string) []byte {
	b := []byte("HTTP/1.1 200 OK\r\n")
	for _, field := range Header {
		b = append(b, field[0]+": "+field[1]+"\r\n"...)
	}
	return append(b, "Content-Length: "+strconv.Itoa(len(body))+"\r\n\r\n"+body...)
}

// Server is a running server.
type Server struct {
	// URL is its base URL, without a path.
	URL string

	listener  net.Listener
	get, post []byte
	accepted  atomic.Int64
	held      atomic.Int64 // the connections yet to be accepted that are held
	recording atomic.Bool
	together  sync.WaitGroup // the held connections that have sent nothing yet

	mu     sync.Mutex
	open   map[net.Conn]struct{} // nil once closed
	record []byte
}

// Start serves on a free loopback port until Close.
func Start(getBody, postBody string) (*Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Server{
		URL:      "http://" + l.Addr().String(),
		listener: l,
		get:      Answer(getBody),
		post:     Answer(postBody),
		open:     map[net.Conn]struct{}{},
	}
	go s.accept()
	return s, nil
}

// Addr is the listener's address.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Close stops listening and drops all connections.
func (s *Server) Close() {
	_ = s.listener.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	for conn := range s.open {
		_ = conn.Close()
	}
	s.open = nil
}

// Hold has the first n connections answered only when each of them has sent a
// request. It is called before anything is sent.
func (s *Server) Hold(n int) {
	s.held.Store(int64(n))
	s.together.Add(n)
}

// Accepted counts the connections since the start.
func (s *Server) Accepted() int { return int(s.accepted.Load()) }

// Record keeps the latest request for Recorded, which costs allocations.
func (s *Server) Record() { s.recording.Store(true) }

// Recorded returns the latest request, head and body.
func (s *Server) Recorded() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Clone(s.record)
}

func (s *Server) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.accepted.Add(1)
		s.mu.Lock()
		if s.open == nil {
			_ = conn.Close()
		} else {
			s.open[conn] = struct{}{}
			go s.serve(conn, s.held.Add(-1) >= 0)
		}
		s.mu.Unlock()
	}
}

func (s *Server) serve(conn net.Conn, held bool) {
	defer func() {
		_ = conn.Close()
		s.mu.Lock()
		delete(s.open, conn)
		s.mu.Unlock()
	}()
	buf := make([]byte, 64<<10) // no request here is larger
	have := 0
	for {
		length := -1
		for length < 0 {
			n, err := conn.Read(buf[have:])
			if err != nil || n == 0 {
				return
			}
			have += n
			length = requestLength(buf[:have])
		}
		if s.recording.Load() {
			s.mu.Lock()
			s.record = bytes.Clone(buf[:length])
			s.mu.Unlock()
		}
		if held {
			s.together.Done()
			s.together.Wait()
			held = false
		}
		answer := s.post
		if buf[0] == 'G' {
			answer = s.get
		}
		if _, err := conn.Write(answer); err != nil {
			return
		}
		// No client here sends a second request before the first is answered.
		have = copy(buf, buf[length:have])
	}
}

var (
	endOfHead     = []byte("\r\n\r\n")
	endOfChunks   = []byte("0\r\n\r\n") // in no body here
	contentLength = []byte("content-length:")
	transferCode  = []byte("transfer-encoding:")
)

// requestLength is the length of the request that b begins with; -1 if it is
// not all there.
func requestLength(b []byte) int {
	head := bytes.Index(b, endOfHead)
	if head < 0 {
		return -1
	}
	length, chunked := head+len(endOfHead), false
	body := b[length:]
	for rest := b[:head]; len(rest) > 0; {
		var line []byte
		line, rest, _ = bytes.Cut(rest, endOfHead[:2])
		switch {
		case hasPrefixFold(line, contentLength):
			length += number(line[len(contentLength):])
		case hasPrefixFold(line, transferCode):
			chunked = true
		}
	}
	if chunked {
		end := bytes.Index(body, endOfChunks)
		if end < 0 {
			return -1
		}
		return length + end + len(endOfChunks)
	}
	if len(b) < length {
		return -1
	}
	return length
}

func hasPrefixFold(b, prefix []byte) bool {
	return len(b) >= len(prefix) && bytes.EqualFold(b[:len(prefix)], prefix)
}

func number(b []byte) int {
	n := 0
	for _, c := range b {
		if c >= '0' && c <= '9' {
			n = n*10 + int(c-'0')
		}
	}
	return n
}
