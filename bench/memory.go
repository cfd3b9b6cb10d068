package bench

import (
	"bytes"
	"io"
	"net/http"
	"strconv"

	"github.com/mobid-io/mid-go/bench/server"
)

// nowhere is the base URL where no socket is to be opened.
const nowhere = "http://127.0.0.1:1"

// memory answers in place of a server, with the server's answers, so that only
// the library itself is measured.
type memory struct {
	get, post []byte
	header    http.Header // shared by all answers, and read-only
}

func newMemory(c *Contestant) *memory {
	header := http.Header{"Content-Length": {strconv.Itoa(AnswerSize)}}
	for _, field := range server.Header {
		header.Set(field[0], field[1])
	}
	return &memory{get: []byte(c.answer()), post: []byte(c.postAnswer()), header: header}
}

type memoryBody struct{ bytes.Reader }

func (*memoryBody) Close() error { return nil }

func (m *memory) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		if _, err := io.Copy(io.Discard, req.Body); err != nil {
			return nil, err
		}
		_ = req.Body.Close()
	}
	answer := m.post
	if req.Method == http.MethodGet {
		answer = m.get
	}
	body := new(memoryBody)
	body.Reset(answer)
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: m.header, Body: body, ContentLength: AnswerSize,
		Request: req,
	}, nil
}
