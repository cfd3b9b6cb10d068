package midtest

import (
	"io"
	"net/http"
)

const (
	keptBody  = 64 << 10
	maxUpload = 2 << 30
)

// body is a request's body: measured, and kept up to a bound.
type body struct {
	src      io.Reader
	declared int64 // -1 if unknown
	kept     []byte
	size     int64
}

func newBody(w http.ResponseWriter, r *http.Request) *body {
	return &body{src: http.MaxBytesReader(w, r.Body, maxUpload), declared: r.ContentLength}
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.src.Read(p)
	b.size += int64(n)
	if room := keptBody - len(b.kept); room > 0 {
		b.kept = append(b.kept, p[:min(n, room)]...)
	}
	return n, err
}

// tooLarge reports whether not even trying to read makes sense.
func (b *body) tooLarge() bool { return b.declared > maxUpload }

// drain reads the rest, so that a client that is refused early can finish
// sending and reads the answer in place of a broken connection.
func (b *body) drain() {
	if !b.tooLarge() {
		_, _ = io.Copy(io.Discard, b)
	}
}
