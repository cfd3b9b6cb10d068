package midtest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

func TestMisroutedRequests(t *testing.T) {
	c := start(t)
	for _, tc := range []struct {
		method, path, allow string
		status              int
	}{
		{"GET", "/nothing", "", 404},
		{"GET", "", "", 404},
		{"GET", "/auth/sessions/", "", 404},
		{"GET", "/auth/sessions/a/b", "", 404},
		{"GET", "/auth//sessions/a", "", 404},
		{"GET", "/auth/sessions/../sessions/a", "", 404},
		{"GET", "/auth%2Fsessions/a", "", 404},
		{"GET", "/auth/sessions", "POST", 405},
		{"DELETE", "/auth/sessions/sess_1", "GET", 405},
		{"PUT", "/auth/token", "POST", 405},
	} {
		r := c.send(c.request(tc.method, tc.path, nil))
		assert.Equal(t, tc.status, r.status, "%s %s", tc.method, tc.path)
		assert.Equal(t, tc.allow, r.header.Get("Allow"), "%s %s", tc.method, tc.path)
	}
}

// An escape means the same as its character (RFC 3986, section 6.2.2.2), except
// for a slash, which would end the segment.
func TestEscapedPathsMeanTheSame(t *testing.T) {
	c := start(t)
	id := c.session("").ID
	root := strings.TrimSuffix(c.srv.URL, "/v1")
	for path, status := range map[string]int{
		"/v1/auth/%73essions/" + id:                                   200,
		"/v1/%61uth/sessions/" + id[:3] + "%73" + id[4:]:              200,
		"/%76%31/auth/sessions/" + strings.ReplaceAll(id, "_", "%5F"): 200,
		"/%761/auth/sessions/" + strings.ReplaceAll(id, "_", "%5f"):   200,
		"/v1/auth/sessions/" + strings.ReplaceAll(id, "_", "%2F"):     404,
		"/v1/auth/sessions/" + strings.ReplaceAll(id, "_", "%255F"):   404,
		"/v1%2Fauth/sessions/" + id:                                   404,
		"/v1/auth%2fsessions/" + id:                                   404,
		"/v1/auth/sessions%2F" + id:                                   404,
	} {
		req := c.request(http.MethodGet, "", nil)
		parsed, err := req.URL.Parse(root + path)
		require.NoError(t, err)
		req.URL = parsed
		assert.Equal(t, status, c.send(req).status, path)
	}
	c.srv.Inject(midtest.Fault{Path: "/auth/sessions/{id}", Code: string(mid.CodeForbidden)})
	assert.Equal(t, 403, c.get("/%61uth/sessions/"+id).status, "faults see the path as it is meant")
}
