package midweb

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCookie(t *testing.T) {
	for name, secure := range map[string]bool{"__Host-midweb-login": true, "midweb-login": false} {
		c, err := newCookie[string]("midweb-login", secure, [][]byte{testKey})
		require.NoError(t, err)
		answer := httptest.NewRecorder()
		require.NoError(t, c.set(answer, "value", time.Minute))
		set := answer.Result().Cookies()[0]
		assert.Equal(t, name, set.Name)
		assert.Equal(t, secure, set.Secure)
		assert.True(t, set.HttpOnly)
		assert.Equal(t, http.SameSiteLaxMode, set.SameSite)
		assert.Equal(t, "/", set.Path)
		assert.Empty(t, set.Domain)
		assert.Equal(t, 60, set.MaxAge)

		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.AddCookie(set)
		value, ok := c.get(r)
		assert.True(t, ok)
		assert.Equal(t, "value", value)
	}
}

// A cookie that came by plain http, or from another host of the domain, has no
// prefix: it is not looked at.
func TestCookieWithoutPrefix(t *testing.T) {
	plain, err := newCookie[string]("midweb-login", false, [][]byte{testKey})
	require.NoError(t, err)
	secure, err := newCookie[string]("midweb-login", true, [][]byte{testKey})
	require.NoError(t, err)
	answer := httptest.NewRecorder()
	require.NoError(t, plain.set(answer, "value", time.Minute))
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	r.AddCookie(answer.Result().Cookies()[0])
	_, ok := secure.get(r)
	assert.False(t, ok)
}
