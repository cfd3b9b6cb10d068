package midtest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRequestsAreLogged(t *testing.T) {
	c := start(t)
	long := strings.Repeat("x", 100<<10)
	c.post("/auth/sessions?a=b", `{"intent":"`+long+`"}`, "X-Mark", "yes")
	all := c.srv.Requests()
	require.Len(t, all, 2)
	assert.Equal(t, "/auth/token", all[0].Path)
	got := all[1]
	assert.Equal(t, "POST", got.Method)
	assert.Equal(t, "/auth/sessions", got.Path)
	assert.Equal(t, "b", got.Query.Get("a"))
	assert.Equal(t, "yes", got.Header.Get("X-Mark"))
	assert.Equal(t, 400, got.Status)
	assert.Len(t, got.Body, 64<<10)
	assert.EqualValues(t, len(long)+len(`{"intent":""}`), got.BodySize)
	assert.WithinDuration(t, time.Now(), got.Time, time.Minute)
}
