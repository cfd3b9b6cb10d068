package midtest

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// front answers the requests: it is the order in which the server's parts have
// their say.
type front struct {
	dialect dialect
	routes  []route
	repeats repeats
	quota   *quota
	faults  *faults
	tokens  *tokens
	log     *requestLog
	pages   atomic.Pointer[http.Handler] // nil: there are no pages
}

// HandlePages serves the requests that are not under /v1 with h: the page that
// plays the phone in a demonstration, or what a signer's link opens. They are
// neither counted nor logged; before it is called, they answer 404 and are
// both. A later call replaces the handler. It must not be nil.
func (s *front) HandlePages(h http.Handler) { s.pages.Store(&h) }

// handler is the whole server, in the middleware that was asked for.
func (s *front) handler(middleware []func(http.Handler) http.Handler) http.Handler {
	var h http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inside := r.URL.Path == basePath || strings.HasPrefix(r.URL.Path, basePath+"/")
		if pages := s.pages.Load(); pages != nil && !inside {
			(*pages).ServeHTTP(w, r)
			return
		}
		s.serve(newCall(w, r))
	})
	for _, wrap := range slices.Backward(middleware) {
		h = wrap(h)
	}
	return h
}

// serve is the whole way of a request. It is logged before it is answered, so
// that the client that has the answer finds it in the log.
func (s *front) serve(c *call) {
	c.quota = s.quota.take()
	rt, misroute := find(s.routes, c)
	if c.template == tokenPath {
		s.log.countToken()
	}
	fault := s.faults.take(c.r.Method, c.path, c.template)
	pause(c.r.Context(), fault.Latency)
	a := fault.answer(s.speak(c), c.id)
	if a == nil {
		a = s.answer(c, rt, misroute)
	}
	c.body.drain()
	s.log.log(c.logged(a.status))
	if fault.DropConnection {
		panic(http.ErrAbortHandler) // how net/http closes without an answer
	}
	c.write(a, fault.Truncate)
}

// speak is the dialect of the answer to a call. The token endpoint has the names
// of OAuth (RFC 6749), whatever the others have.
func (s *front) speak(c *call) dialect {
	if c.template == tokenPath {
		return dialect{envelope: s.dialect.envelope}
	}
	return s.dialect
}

// answer does what the contract says.
func (s *front) answer(c *call, rt *route, misroute error) *answer {
	a, err := s.carryOut(c, rt, misroute)
	if err != nil {
		return s.speak(c).failure(c.id, err)
	}
	return a
}

func (s *front) carryOut(c *call, rt *route, misroute error) (*answer, error) {
	if !c.quota.granted {
		return nil, c.quota.refusal()
	}
	if misroute != nil {
		return nil, misroute
	}
	if !rt.public {
		if err := s.tokens.check(c.r.Header.Get("Authorization")); err != nil {
			return nil, err
		}
	}
	p, err := rt.read(c)
	if err != nil {
		return nil, err
	}
	work := func() (*answer, error) {
		resource, err := p.do()
		if err != nil {
			return nil, err
		}
		return s.speak(c).success(c.id, rt.status, resource)
	}
	if c.r.Method != http.MethodPost || rt.public {
		return work()
	}
	return s.repeats.do(c.r.Header.Values(keyHeader), p.request, work)
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
