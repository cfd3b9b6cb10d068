package transport

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/mobid-io/mid-go/internal/jsonwire"
)

// maxAnswer bounds an answer, in bytes.
const maxAnswer = 10 << 20

var errTooLarge = fmt.Errorf("the answer is larger than %d MiB", maxAnswer>>20)

// Payload is an answer's body in memory.
type Payload struct {
	bytes.Reader
	data []byte
}

// Close does nothing.
func (*Payload) Close() error { return nil }

// Data returns the body of an answer that the pipeline returned, without a byte
// order mark.
func Data(resp *http.Response) []byte {
	if p, ok := resp.Body.(*Payload); ok {
		return jsonwire.TrimMark(p.data)
	}
	return nil
}

// answer is an answer on its way in. An attempt that is left behind may still
// read one that its caller has taken as it was.
type answer struct {
	mu      sync.Mutex
	resp    *http.Response // nil before the status line has come
	data    []byte
	payload Payload
}

// read reads the answer to its end, and calls progress whenever some of it has
// come. The body remains to be closed.
func (a *answer) read(req *http.Request, resp *http.Response, progress func()) error {
	a.mu.Lock()
	a.resp = resp
	a.mu.Unlock()
	progress()
	body := resp.Body // end replaces it
	if body == nil || resp.StatusCode < 200 || req.Method == http.MethodHead {
		return nil // the body of a 101 is the connection, which ends with no context
	}
	if resp.ContentLength > maxAnswer && isSuccess(resp) {
		return errTooLarge
	}
	data := make([]byte, 0, min(max(resp.ContentLength+1, 512), maxAnswer+1))
	for {
		n, err := body.Read(data[len(data):cap(data)])
		if n > 0 {
			data = data[:len(data)+n]
			a.mu.Lock()
			a.data = data
			a.mu.Unlock()
			progress()
		}
		switch {
		case len(data) > maxAnswer && isSuccess(resp):
			return errTooLarge
		case len(data) > maxAnswer || errors.Is(err, io.EOF):
			return nil // of an error its beginning will do
		case err != nil:
			return err
		}
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
	}
}

// end returns the answer as it has come when err, or nil, ended it. A success
// that is cut off is a failure, for what it lacks may be what was asked for. An
// error is one by its status line, whatever became of its body.
func (a *answer) end(err error) (*http.Response, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err != nil && (a.resp == nil || isSuccess(a.resp)) {
		return nil, err
	}
	a.payload.data = a.data
	a.payload.Reset(a.data)
	a.resp.Body = &a.payload
	return a.resp, nil
}

func isSuccess(resp *http.Response) bool { return resp.StatusCode >= 200 && resp.StatusCode <= 299 }
