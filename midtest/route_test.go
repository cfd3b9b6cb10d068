package midtest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
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
		{"GET", "/auth/sessions", "POST", 405},
		{"DELETE", "/auth/sessions/sess_1", "GET", 405},
		{"PUT", "/auth/token", "POST", 405},
	} {
		r := c.send(c.request(tc.method, tc.path, nil))
		assert.Equal(t, tc.status, r.status, "%s %s", tc.method, tc.path)
		assert.Equal(t, tc.allow, r.header.Get("Allow"), "%s %s", tc.method, tc.path)
	}
}
