package e2e_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

// asAPIError takes the server's answer out of an error.
func asAPIError(t *testing.T, err error) *mid.APIError {
	t.Helper()
	var apiErr *mid.APIError
	require.ErrorAs(t, err, &apiErr)
	return apiErr
}

// TestContractErrorMatrix validates every operation's every error.
func TestContractErrorMatrix(t *testing.T) {
	w := newWire(t)
	c, ctx := w.client(mid.WithLimiter(noLimiter{})), bounded(t)
	statuses := []int{400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 502, 503, 504}
	for _, op := range newWorld(t, w.mid).operations(t) {
		for _, status := range statuses {
			fault := midtest.Fault{Method: op.method, Path: op.path, Status: status}
			if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
				fault.RetryAfter = 7 * time.Second
			}
			w.mid.Inject(fault)
			apiErr := asAPIError(t, op.call(ctx, c, mid.WithoutRetry()))
			assert.Equal(t, status, apiErr.StatusCode, op.id)
			assert.NotEmpty(t, apiErr.RequestID, op.id)
			assert.Equal(t, fault.RetryAfter, apiErr.RetryAfter, op.id)
			assert.Equal(t, 1, w.tally()[op.id][status], "%s %d", op.id, status)
		}
	}
}

// TestContractTokenErrors validates what the token endpoint refuses.
func TestContractTokenErrors(t *testing.T) {
	w := newWire(t)
	ctx := bounded(t)
	for _, status := range []int{400, 401, 403, 429, 500, 503} {
		w.mid.Inject(midtest.Fault{Path: "/auth/token", Status: status, Times: -1})
		_, err := w.client().Authentication.GetSession(ctx, "sess_1")
		assert.Equal(t, status, asAPIError(t, err).StatusCode)
		assert.NotZero(t, w.tally()["createToken"][status])
		w = newWire(t)
	}
	wrong, err := mid.NewClient(w.mid.ClientID, "not the secret", mid.WithBaseURL(w.server.URL+"/v1"))
	require.NoError(t, err)
	_, err = wrong.Authentication.GetSession(ctx, "sess_1")
	require.ErrorIs(t, err, mid.ErrInvalidClient)
	assert.Equal(t, map[string]map[int]int{"createToken": {401: 1}}, w.tally(), "one request, no retry")
}

// TestContractRefusals validates what the fake server refuses of itself.
func TestContractRefusals(t *testing.T) {
	w := newWire(t)
	c, ctx, there := w.client(), bounded(t), newWorld(t, w.mid)
	last := func(operation string) int { return w.last(t, operation).status }

	params := there.verificationParams()
	params.DocumentFrontID = there.selfie.ID
	_, err := c.Identity.StartVerification(ctx, params)
	require.ErrorIs(t, err, mid.ErrInvalidRequest)
	assert.Equal(t, "document_front_id", asAPIError(t, err).Details[0].Field)
	assert.Equal(t, 400, last("startVerification"))

	for _, op := range there.operations(t) {
		w.mid.RevokeTokens()
		require.ErrorIs(t, op.call(ctx, c, mid.WithoutRetry()), mid.ErrUnauthorized, op.id)
		assert.Equal(t, 401, last(op.id))
		require.NoError(t, op.call(ctx, c), "%s gets a new token", op.id)
		w.mid.RevokeTokens()
		require.NoError(t, op.call(ctx, c), "%s is replayed", op.id)
	}

	_, err = c.Authentication.Verify(ctx, mid.VerifyAuthenticationParams{SessionID: "sess_none"})
	require.ErrorIs(t, err, mid.ErrNotFound)
	_, err = c.Identity.GetVerification(ctx, "ver_none")
	require.ErrorIs(t, err, mid.ErrNotFound)
	_, err = c.Signing.GetSession(ctx, "sig_none")
	require.ErrorIs(t, err, mid.ErrNotFound)

	key := mid.WithIdempotencyKey("key-1")
	_, err = c.Authentication.CreateSession(ctx, mid.CreateAuthSessionParams{Intent: mid.IntentLogin}, key)
	require.NoError(t, err)
	_, err = c.Authentication.CreateSession(ctx, mid.CreateAuthSessionParams{Intent: mid.IntentConsent}, key)
	require.ErrorIs(t, err, mid.ErrConflict)
	assert.Equal(t, mid.CodeIdempotencyConflict, asAPIError(t, err).Code)

	_, err = c.Authentication.CreateSession(ctx, mid.CreateAuthSessionParams{
		Intent:   mid.IntentLogin,
		Metadata: map[string]string{"essay": strings.Repeat("x", 1<<20)},
	})
	require.ErrorIs(t, err, mid.ErrPayloadTooLarge)
	assert.Equal(t, 413, last("createAuthSession"))
}

// TestContractQuota validates the answers of a used up quota.
func TestContractQuota(t *testing.T) {
	w := newWire(t)
	c, ctx, there := w.client(mid.WithLimiter(noLimiter{})), bounded(t), newWorld(t, w.mid)
	operations := there.operations(t)
	require.NoError(t, operations[0].call(ctx, c)) // for the token
	w.mid.SetQuota(0, time.Hour)
	for _, op := range operations {
		err := op.call(ctx, c)
		require.ErrorIs(t, err, mid.ErrRateLimited, op.id)
		var limited *mid.RateLimitError
		require.ErrorAs(t, err, &limited)
		assert.InDelta(t, time.Hour, limited.RetryAfter, float64(time.Minute))
		assert.Equal(t, 429, w.last(t, op.id).status)
	}
	_, err := w.client().Authentication.GetSession(ctx, there.auth.ID)
	require.ErrorIs(t, err, mid.ErrRateLimited)
	assert.Equal(t, 429, w.last(t, "createToken").status)
}

// TestContractStrangers validates the answers to requests that the contract
// has no place for, which only Call sends.
func TestContractStrangers(t *testing.T) {
	w := newWire(t)
	c, ctx := w.client(), bounded(t)
	for _, stranger := range []struct {
		method, path string
		in           any
		status       int
		reason       string
	}{
		{"DELETE", "/auth/verify", nil, 405, "method not allowed"},
		{"POST", "/auth/sessions/sess_1", map[string]int{}, 405, "method not allowed"},
		{"GET", "/nothing/here", nil, 404, "no matching operation"},
		{"POST", "/auth/sessions", map[string]any{"intent": 7}, 400, "intent"},
		{"POST", "/auth/sessions", map[string]any{}, 400, "intent"},
		{"POST", "/identity/verify", map[string]any{"country": "de"}, 400, "country"},
		{"POST", "/signing/documents", map[string]any{"file": "lease.pdf"}, 415, "application/json"},
	} {
		err := c.Call(ctx, stranger.method, stranger.path, stranger.in, nil)
		assert.Equal(t, stranger.status, asAPIError(t, err).StatusCode, "%v", stranger)
		bad := w.violations()
		require.Len(t, bad, 1, "%v", stranger)
		require.ErrorContains(t, bad[0].badReq, stranger.reason)
		require.NoError(t, bad[0].badAns, "%s", bad[0].answer)
		assert.NotEmpty(t, w.tally()["createToken"])
	}
}
