package midtest

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const basePath = "/v1"

// call is one request on its way to an answer.
type call struct {
	w        http.ResponseWriter
	r        *http.Request
	id       string
	at       time.Time
	path     string // below /v1, unescaped; of other paths, all
	template string // of the contract; empty if it has no such path
	pathID   string
	quota    allowance
	body     *body
}

func newCall(w http.ResponseWriter, r *http.Request) *call {
	return &call{
		w:    w,
		r:    r,
		id:   newID("req"),
		at:   time.Now(),
		path: strings.TrimPrefix(r.URL.Path, basePath),
		body: newBody(w, r),
	}
}

// fingerprint is the same for the same request, to compare those with one
// idempotency key.
func (c *call) fingerprint(content []byte) string {
	sum := sha256.Sum256(content)
	return c.r.Method + " " + c.path + " " + hex.EncodeToString(sum[:])
}

// logged is the call as its log entry.
func (c *call) logged(status int) Request {
	return Request{
		Method:   c.r.Method,
		Path:     c.path,
		Query:    c.r.URL.Query(),
		Header:   c.r.Header,
		Body:     c.body.kept,
		BodySize: c.body.size,
		Status:   status,
		Time:     c.at,
	}
}

// write sends the answer. Cut, it announces its whole length and ends half-way:
// net/http then closes the connection.
func (c *call) write(a *answer, cut bool) {
	h := c.w.Header()
	maps.Copy(h, a.header)
	c.quota.writeTo(h)
	h.Set("X-Request-Id", a.requestID)
	if a.status != http.StatusNoContent && a.status != http.StatusNotModified {
		h.Set("Content-Type", a.contentType)
		h.Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	c.w.WriteHeader(a.status)
	body := a.body
	if cut {
		body = body[:len(body)/2]
	}
	_, _ = c.w.Write(body) // it fails if the client is gone, which needs no answer then
}
