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

// match compares a path with the template's, segment by segment, and finds the
// id.
func (rt *route) match(path []string) (id string, ok bool) {
	template := strings.Split(rt.template, "/")
	if len(path) != len(template) {
		return "", false
	}
	for i, segment := range template {
		switch {
		case segment == "{id}" && path[i] != "":
			id = path[i]
		case segment != path[i]:
			return "", false
		}
	}
	return id, true
}

// find returns the route of a call, and notes its template and id in the call.
// For a wrong method it returns the problem, and notes those of the path.
func find(routes []route, c *call) (*route, error) {
	path, inside := belowBase(c.r.URL)
	if !inside {
		return nil, newProblem(mid.CodeNotFound, "there is nothing at this path: all paths begin with "+basePath)
	}
	var allowed []string
	for i := range routes {
		rt := &routes[i]
		id, ok := rt.match(path)
		if !ok {
			continue
		}
		c.template, c.pathID = rt.template, id
		if rt.method == c.r.Method {
			return rt, nil
		}
		allowed = append(allowed, rt.method)
	}
	if allowed == nil {
		return nil, newProblem(mid.CodeNotFound, "there is nothing at this path")
	}
	p := newProblem(mid.CodeInvalidRequest, "this path does not take this method")
	p.status = http.StatusMethodNotAllowed
	p.header = http.Header{"Allow": {strings.Join(slices.Compact(allowed), ", ")}}
	return nil, p
}

// belowBase splits a path into its segments, without the base path. They are
// unescaped after the split: an escaped slash is part of its segment, and any
// other escape means the same as its character.
func belowBase(u *url.URL) (segments []string, inside bool) {
	segments = strings.Split(u.EscapedPath(), "/")
	for i, segment := range segments {
		// A server's URL has no wrong escapes: it would not have been parsed.
		segments[i], _ = url.PathUnescape(segment)
	}
	if len(segments) < 2 || "/"+segments[1] != basePath {
		return nil, false
	}
	return slices.Delete(segments, 1, 2), true
}
