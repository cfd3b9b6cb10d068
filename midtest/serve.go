package midtest

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mobid-io/mid-go"
)

// call is one request on its way to an answer.
type call struct {
	w        http.ResponseWriter
	r        *http.Request
	id       string
	at       time.Time
	path     string // below /v1, unescaped; of other paths, all
	route    *route // nil if the path is unknown
	pathID   string
	misroute error // 404 or 405
	quota    allowance
	body     *body
}

func (s *Server) handler() http.Handler {
	routes := s.routes()
	var h http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inside := r.URL.Path == basePath || strings.HasPrefix(r.URL.Path, basePath+"/")
		if pages := s.pages.Load(); pages != nil && !inside {
			(*pages).ServeHTTP(w, r)
			return
		}
		s.serve(s.newCall(routes, w, r))
	})
	for _, wrap := range slices.Backward(s.options.middleware) {
		h = wrap(h)
	}
	return h
}

// HandlePages serves the requests that are not under /v1 with h: the page that
// plays the phone in a demonstration, or what a signer's link opens. They are
// neither counted nor logged; before it is called, they answer 404 and are
// both. A later call replaces the handler. It must not be nil.
func (s *Server) HandlePages(h http.Handler) { s.pages.Store(&h) }

func (s *Server) newCall(routes []route, w http.ResponseWriter, r *http.Request) *call {
	c := &call{
		w:     w,
		r:     r,
		id:    newID("req"),
		at:    time.Now(),
		path:  strings.TrimPrefix(r.URL.Path, basePath),
		quota: s.quota.take(),
		body:  newBody(w, r),
	}
	below, inside := strings.CutPrefix(r.URL.EscapedPath(), basePath)
	if !inside {
		c.misroute = newProblem(mid.CodeNotFound, "there is nothing at this path: all paths begin with "+basePath)
	} else {
		c.route, c.pathID, c.misroute = find(routes, r.Method, below)
	}
	s.log.arrived(c)
	return c
}

// serve is the whole way of a request. It is logged before it is answered, so
// that whoever has the answer finds it in the log.
func (s *Server) serve(c *call) {
	fault := s.faults.take(c)
	pause(c.r.Context(), fault.Latency)
	a := fault.answer(c.id)
	if a == nil {
		a = s.answer(c)
	}
	c.body.drain()
	s.log.add(c, a.status)
	if fault.DropConnection {
		panic(http.ErrAbortHandler) // how net/http closes without an answer
	}
	c.write(a, fault.Truncate)
}

// answer does what the contract says.
func (s *Server) answer(c *call) *answer {
	p, err := s.prepare(c)
	if err != nil {
		return failure(c.id, err)
	}
	work := func() *answer {
		data, err := p.do()
		if err != nil {
			return failure(c.id, err)
		}
		return success(c.id, c.route.status, data)
	}
	if c.route.method != http.MethodPost || c.route.public {
		return work()
	}
	return s.repeat.do(c, p.request, work)
}

func (s *Server) prepare(c *call) (prepared, error) {
	if !c.quota.granted {
		return prepared{}, c.quota.refusal()
	}
	if c.misroute != nil {
		return prepared{}, c.misroute
	}
	if !c.route.public {
		if err := s.tokens.check(c.r.Header.Get("Authorization")); err != nil {
			return prepared{}, err
		}
	}
	return c.route.read(c)
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
	_, _ = c.w.Write(body) // it fails if the client is gone, and then nobody cares
}

func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
