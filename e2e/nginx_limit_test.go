package e2e_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// limited makes nginx answer 429 in JSON, with a Retry-After and nothing else
// to go by: no X-RateLimit headers, no retry_after in the body.
func limited(rate, limit, retryAfter string) nginxConfig {
	return nginxConfig{
		http: "limit_req_zone $binary_remote_addr zone=api:1m rate=" + rate + "; limit_req_status 429;",
		server: `error_page 429 @limited;
			location @limited {
				default_type application/json;
				add_header Retry-After ` + retryAfter + ` always;
				return 429 '{"error":{"code":"rate_limit_exceeded","message":"the gateway is busy"}}';
			}`,
		location: "limit_req zone=api " + limit + ";",
	}
}

// TestNginxLimitIsWaitedFor has many callers meet a limit that only shows when
// it is hit. All of them succeed, and no client sends before Retry-After.
func TestNginxLimitIsWaitedFor(t *testing.T) {
	srv := newMID(t)
	there := newWorld(t, srv)
	addr := nginx(t, hostOf(srv), limited("10r/s", "burst=2 nodelay", "1"))
	var log journal
	// The fake server's own headers pass with a success and would allow more.
	c := clientAt(srv, "http://"+addr+"/v1", mid.WithMiddleware(log.wrap), quickRetries(20))
	ctx := bounded(t)

	const callers = 8
	errs := make(chan error, callers)
	for range callers {
		go func() { errs <- second(c.Authentication.GetSession(ctx, there.auth.ID)) }()
	}
	for range callers {
		require.NoError(t, <-errs)
	}
	refused := log.with(http.StatusTooManyRequests)
	require.NotEmpty(t, refused, "the limit was never hit")
	for _, r := range refused {
		for _, s := range log.sends {
			early := s.at.Sub(r.answered)
			assert.False(t, early > 50*time.Millisecond && early < 950*time.Millisecond,
				"a request was sent %v after a 429 that asked for a second", early)
		}
	}
}

// TestNginxLimitIsTooLong does not wait for what is over MaxRetryAfter.
func TestNginxLimitIsTooLong(t *testing.T) {
	srv := newMID(t)
	there := newWorld(t, srv)
	addr := nginx(t, hostOf(srv), limited("1r/m", "burst=1 nodelay", "600"))
	var log journal
	c := clientAt(srv, "http://"+addr+"/v1", mid.WithMiddleware(log.wrap))
	ctx := bounded(t)
	_, err := c.Authentication.GetSession(ctx, there.auth.ID) // with the token request, all that is allowed
	require.NoError(t, err)

	began := time.Now()
	_, err = c.Authentication.GetSession(ctx, there.auth.ID)
	require.ErrorIs(t, err, mid.ErrRateLimited)
	var limit *mid.RateLimitError
	require.ErrorAs(t, err, &limit)
	assert.Equal(t, 10*time.Minute, limit.RetryAfter)
	apiErr := asAPIError(t, err)
	assert.Equal(t, mid.CodeRateLimitExceeded, apiErr.Code)
	assert.Equal(t, "the gateway is busy", apiErr.Message)
	assert.Equal(t, 1, apiErr.Attempts)
	assert.Less(t, time.Since(began), 5*time.Second)
	assert.Len(t, log.with(http.StatusTooManyRequests), 1)
}
