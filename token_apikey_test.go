package mid_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"golang.org/x/oauth2"

	"github.com/mobid-io/mid-go"
)

// An API key that is given as a token stays out of errors, also where middleware
// sends it in another header.
func TestAPIKeysStayOutOfErrors(t *testing.T) {
	const key = "qk_live_4711_of_the_test"
	a := &api{handle: func(r *http.Request) (*http.Response, error) {
		return answer(http.StatusForbidden, problem("forbidden", "not for "+r.Header.Get("X-Mobid-Key"), "")), nil
	}}
	moved := func(next http.RoundTripper) http.RoundTripper {
		return tripper(func(r *http.Request) (*http.Response, error) {
			r = r.Clone(r.Context())
			r.Header.Set("X-Mobid-Key", strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
			r.Header.Del("Authorization")
			return next.RoundTrip(r)
		})
	}
	client := a.client(t, mid.WithMiddleware(moved),
		mid.WithTokenSource(mid.OAuth2TokenSource(oauth2.StaticTokenSource(&oauth2.Token{AccessToken: key}))))
	err := client.Call(context.Background(), http.MethodGet, "/health", nil, nil)
	assert.ErrorIs(t, err, mid.ErrForbidden)
	assert.Equal(t, key, a.sent()[0].Header.Get("X-Mobid-Key"))
	assert.Empty(t, a.sent()[0].Header.Get("Authorization"))
	assert.NotContains(t, fmt.Sprintf("%+v", err), key)
}
