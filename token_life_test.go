package mid_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A token's life counts from its request: the time that the answer takes is
// part of it.
func TestTokensLifeCountsFromItsRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &api{handle: session}
		a.token = func(n int) (*http.Response, error) {
			time.Sleep(20 * time.Second)
			return tokenAnswer(n, time.Minute), nil
		}
		c := a.client(t)
		start := time.Now()
		require.NoError(t, look(t.Context(), c))
		time.Sleep(time.Minute - time.Since(start))
		require.NoError(t, look(t.Context(), c))
		require.Equal(t, "Bearer token-2", last(a.sent()).Header.Get("Authorization"), "the first has expired")
	})
}
