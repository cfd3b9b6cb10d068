package midtest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/mobid-io/mid-go"
)

// route is one operation of the contract.
type route struct {
	method, template string
	status           int  // of a success
	public           bool // needs no token, and takes no idempotency key
	read             reader
}

// reader reads and checks a request's body. What remains to be done, and may
// be done only once for an idempotency key, is in what it returns.
type reader func(*call) (prepared, error)

type prepared struct {
	request string // what was asked, to compare with a repetition
	do      func() (any, error)
}

func (s *Server) routes() []route {
	const get, post = http.MethodGet, http.MethodPost
	return []route{
		{post, tokenPath, http.StatusOK, true, readJSON(s.createToken)},
		{post, "/auth/sessions", http.StatusCreated, false, readJSON(s.createAuthSession)},
		{get, "/auth/sessions/{id}", http.StatusOK, false, readID(s.getAuthSession)},
		{post, "/auth/verify", http.StatusOK, false, readJSON(s.verifyAuthentication)},
		{post, "/identity/documents", http.StatusCreated, false, readForm(identityForm, s.storeIdentityDocument)},
		{post, "/identity/verify", http.StatusAccepted, false, readJSON(s.startVerification)},
		{get, "/identity/verifications/{id}", http.StatusOK, false, readID(s.getVerification)},
		{post, "/signing/documents", http.StatusCreated, false, readForm(signingForm, s.storeSigningDocument)},
		{post, "/signing/sessions", http.StatusCreated, false, readJSON(s.createSigningSession)},
		{get, "/signing/sessions/{id}", http.StatusOK, false, readID(s.getSigningSession)},
	}
}

// match finds the id in a path that is still escaped.
func (rt *route) match(path string) (id string, ok bool) {
	before, hasID := strings.CutSuffix(rt.template, "{id}")
	if !hasID {
		return "", path == rt.template
	}
	segment, ok := strings.CutPrefix(path, before)
	if !ok || segment == "" || strings.Contains(segment, "/") {
		return "", false
	}
	id, err := url.PathUnescape(segment)
	return id, err == nil
}

// find returns the route of a request. For a wrong method it returns the
// problem and a route of the same path.
func find(routes []route, method, path string) (rt *route, id string, err error) {
	var allowed []string
	for i := range routes {
		found, ok := routes[i].match(path)
		if !ok {
			continue
		}
		rt, id = &routes[i], found
		if rt.method == method {
			return rt, id, nil
		}
		allowed = append(allowed, rt.method)
	}
	if rt == nil {
		return nil, "", newProblem(mid.CodeNotFound, "there is nothing at this path")
	}
	p := newProblem(mid.CodeInvalidRequest, "this path does not take this method")
	p.status = http.StatusMethodNotAllowed
	p.header = http.Header{"Allow": {strings.Join(slices.Compact(allowed), ", ")}}
	return rt, id, p
}
