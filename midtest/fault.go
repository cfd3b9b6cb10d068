package midtest

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mobid-io/mid-go"
)

// Fault is something to go wrong. It is taken by the requests that match
// Method and Path, and comes before everything else that the server checks:
// such a request is counted and logged, but not carried out, unless the fault
// has only Latency, only Truncate or only these two. Give a 429 a RetryAfter.
type Fault struct {
	// Method and Path select the requests that fail. If both are empty, every
	// request does. Method is in upper case. Path is either a request's own, like
	// /auth/sessions/sess_1, or the contract's template, like /auth/sessions/{id},
	// with or without /v1 before it. Paths that the contract does not have can
	// fail too.
	Method, Path string
	// Times is how many requests fail. Zero means one, and a negative number
	// means all from now on.
	Times int
	// Chance is how likely a request that matches fails, from 0 to 1. Zero means
	// always. A request that is spared does not count towards Times, and may take
	// a fault that was injected later.
	Chance float64
	// Status is the answer's, 200 to 599. If zero, it is what goes with Code, or
	// 429 if RetryAfter is set, or 200 for a Body.
	Status int
	// Code is the error's code. If empty, it is what goes with a Status of 400 or
	// more.
	Code string
	// RetryAfter is the error's retry_after, rounded up to whole seconds. Set
	// it for a 429: without it the client waits for the quota's window to end,
	// up to a minute.
	RetryAfter time.Duration
	// Latency is how long the server waits before it does anything. A fault with
	// no other effect delays a request that is then served as ever.
	Latency time.Duration
	// DropConnection closes the connection without an answer once the whole
	// request has been read. Mind that net/http by itself resends a GET, or a
	// POST with an Idempotency-Key, if this happens on a connection that it had
	// used before.
	DropConnection bool
	// Truncate ends the answer's body half-way, with its whole length
	// announced. Without Status, Code, RetryAfter or Body it is the real
	// answer to a request that was carried out.
	Truncate bool
	// Body is sent as it is, in place of an error in the contract's form.
	Body string
	// ContentType goes with Body. If empty, it is application/json. With it and
	// an empty Body, an empty body is sent.
	ContentType string
}

func newFaults(routes []route) faults {
	var templates []string
	for _, rt := range routes {
		templates = append(templates, rt.template)
	}
	return faults{templates: templates}
}

// Inject makes coming requests fail. Of several faults that match a request,
// the one injected first is taken, until its Times are over.
//
// Inject panics on an invalid fault, so that no test passes because nothing
// failed: if Status or Chance is out of its range, if Method is not in upper
// case, if Path does not begin with a slash or has braces and is not a template of
// the contract, or if the fault does nothing.
func (s *faults) Inject(f Fault) {
	if complaint := f.check(s.templates); complaint != "" {
		panic("midtest: Inject: " + complaint)
	}
	f.Path = relative(f.Path)
	if f.Times == 0 {
		f.Times = 1
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, &f)
}

func (f *Fault) check(templates []string) (complaint string) {
	switch {
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return fmt.Sprintf("Status is %d; give one from 200 to 599, or 0", f.Status)
	case !(f.Chance >= 0 && f.Chance <= 1): // so that NaN is refused too
		return fmt.Sprintf("Chance is %v; give one from 0 to 1", f.Chance)
	case f.Method != strings.ToUpper(f.Method):
		return fmt.Sprintf("Method is %q; give it in upper case: %q", f.Method, strings.ToUpper(f.Method))
	case f.Path != "" && f.Path[0] != '/':
		return fmt.Sprintf("Path is %q; begin it with a slash, like /auth/sessions, or leave it out for all requests", f.Path)
	case f.Path != "" && relative(f.Path) == "":
		return fmt.Sprintf("Path is %q, which no request has; leave it out for all requests", f.Path)
	case strings.Contains(f.Path, "{") && !slices.Contains(templates, relative(f.Path)):
		return fmt.Sprintf("Path is %q, which is not a template of the contract; give one, like /auth/sessions/{id}, or a request's own path", f.Path)
	case f.Latency <= 0 && !f.Truncate && f.answer(dialect{}, "") == nil:
		return "the fault does nothing; give it a Status, Code, RetryAfter, Latency, DropConnection, Truncate, Body or ContentType"
	}
	return ""
}

// relative is a path without the base path.
func relative(path string) string {
	below, inside := strings.CutPrefix(path, basePath)
	if inside && (below == "" || below[0] == '/') {
		return below
	}
	return path
}

// faults are what is to go wrong, in the order of its injection.
type faults struct {
	templates []string // the contract's paths

	mu   sync.Mutex
	list []*Fault
}

// take returns the fault of a request, or a zero one, which does nothing.
// template is empty if the contract has no such path.
func (s *faults) take(method, path, template string) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, fault := range s.list {
		if fault.Times == 0 || !fault.matches(method, path, template) || fault.spares() {
			continue
		}
		if fault.Times > 0 {
			fault.Times--
		}
		return *fault
	}
	return Fault{}
}

func (f *Fault) spares() bool { return f.Chance > 0 && rand.Float64() >= f.Chance }

func (f *Fault) matches(method, path, template string) bool {
	if f.Method != "" && f.Method != method {
		return false
	}
	return f.Path == "" || f.Path == path || f.Path == template
}

// answer is nil if the fault leaves the answer to the server.
func (f *Fault) answer(d dialect, requestID string) *answer {
	switch {
	case f.DropConnection:
		return &answer{}
	case f.Body != "" || f.ContentType != "":
		return f.raw(requestID)
	case f.Status != 0 && f.Status < 400 && f.Code == "":
		return f.raw(requestID)
	case f.Status != 0 || f.Code != "" || f.RetryAfter > 0:
		return d.failure(requestID, f.problem())
	}
	return nil
}

func (f *Fault) raw(requestID string) *answer {
	a := &answer{status: f.Status, requestID: requestID, contentType: f.ContentType, body: []byte(f.Body)}
	if a.status == 0 {
		a.status = http.StatusOK
	}
	if a.contentType == "" {
		a.contentType = jsonType
	}
	return a
}

func (f *Fault) problem() *problem {
	p := newProblem(mid.ErrorCode(f.Code), "an injected fault")
	p.RetryAfter = seconds(f.RetryAfter)
	if f.Status != 0 {
		p.status = f.Status
	}
	if p.status == 0 {
		p.status = http.StatusInternalServerError
		if f.Code == "" {
			p.status = http.StatusTooManyRequests
		}
	}
	if p.Code == "" {
		p.Code = codeOf(p.status)
	}
	return p
}

// codeOf is the code that goes with a status.
func codeOf(status int) mid.ErrorCode {
	switch status {
	case http.StatusUnauthorized:
		return mid.CodeUnauthorized
	case http.StatusConflict:
		return mid.CodeConflict
	case http.StatusBadGateway, http.StatusGatewayTimeout:
		return mid.CodeServiceUnavailable
	}
	for code, s := range statusOf {
		if s == status {
			return code
		}
	}
	if status < 500 {
		return mid.CodeInvalidRequest
	}
	return mid.CodeInternalError
}
