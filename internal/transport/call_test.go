package transport

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"
)

// What middleware changes in one attempt's request shows in no other's.
func TestAttemptsHaveRequestsOfTheirOwn(t *testing.T) {
	t.Parallel()
	var seen []string
	wire := tripper(func(r *http.Request) (*http.Response, error) {
		seen = append(seen, r.URL.String()+" "+r.Host+" "+strings.Join(r.Header["Idempotency-Key"], ","))
		r.URL.Path += "/changed"
		r.URL.RawQuery += "&changed=1"
		r.Host = "changed.example.com"
		r.Header.Add("Idempotency-Key", "changed")
		return reply(503, http.NoBody), nil
	})
	_, err := pipe(wire, time.Minute, 2).Do(callTo(t.Context(), t, http.MethodGet, anywhere+"?a=1", nil))
	require.NoError(t, err)
	want := anywhere + "?a=1 api.example.com key"
	require.Equal(t, []string{want, want, want}, seen)
}

// A call is the context that an application's code is given; it prints nothing.
func TestCallPrintsNothing(t *testing.T) {
	t.Parallel()
	call := callTo(t.Context(), t, http.MethodPost, anywhere, bytesOf("+14155550123"))
	call.bearing.take(&oauth2.Token{AccessToken: "token-1"})
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		require.Equal(t, "mid.call", fmt.Sprintf(verb, call))
	}
}
