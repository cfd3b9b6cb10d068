package e2e_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

// TestPrismProxy has Prism validate the JSON operations between the SDK and the
// fake server. No upload passes: Prism garbles binary forms.
func TestPrismProxy(t *testing.T) {
	srv := newMID(t)
	base := prism(t, "proxy", srv.URL)
	var watch violationWatch
	c := clientAt(srv, base, mid.WithMiddleware(watch.wrap), mid.WithLimiter(noLimiter{}), quickRetries(0))
	ctx, there := bounded(t), newWorld(t, srv)

	for _, op := range there.operations(t) {
		if op.upload {
			continue
		}
		require.NoError(t, op.call(ctx, c), op.id)
		for _, status := range []int{400, 401, 403, 404, 409, 413, 415, 429, 500, 503} {
			srv.Inject(midtest.Fault{Method: op.method, Path: op.path, Status: status})
			err := op.call(ctx, c, mid.WithoutRetry())
			assert.Equal(t, status, asAPIError(t, err).StatusCode, op.id)
		}
	}
	require.NoError(t, srv.Approve(there.auth.ID, "user_1"))
	require.NoError(t, srv.CompleteVerification(there.verification.ID, midtest.Outcome{}))
	require.NoError(t, srv.Sign(there.signing.ID, signers[0].Email))
	for _, op := range there.operations(t) {
		if op.method == http.MethodGet || op.id == "verifyAuthentication" {
			require.NoError(t, op.call(ctx, c), op.id)
		}
	}
	assert.Empty(t, watch.take())
	assert.Equal(t, 1+7*12+4, watch.sends, "a 401 costs a token")

	err := c.Call(ctx, http.MethodPost, "/auth/sessions", map[string]any{"intent": "dance"}, nil)
	require.ErrorIs(t, err, mid.ErrInvalidRequest)
	assert.NotEmpty(t, watch.take(), "a planted request")
	srv.Inject(midtest.Fault{Path: "/auth/sessions/{id}", Status: 200, Body: `{"success":true,"data":{"id":7},"meta":{}}`})
	_, _ = c.Authentication.GetSession(ctx, there.auth.ID) // whatever the client thinks of it
	assert.NotEmpty(t, watch.take(), "a planted answer")
}

// TestPrismProxyErrors has Prism put an error in the place of every exchange
// that is against the contract.
func TestPrismProxyErrors(t *testing.T) {
	srv := newMID(t)
	base := prism(t, "proxy", srv.URL, "--errors")
	c := clientAt(srv, base, quickRetries(0))
	ctx, there := bounded(t), newWorld(t, srv)
	for _, op := range there.operations(t) {
		if !op.upload {
			require.NoError(t, op.call(ctx, c), op.id)
		}
	}

	before := len(srv.Requests())
	err := c.Call(ctx, http.MethodPost, "/auth/sessions", map[string]any{"recipient": "+14155550123"}, nil)
	require.ErrorIs(t, err, mid.ErrInvalidRequest)
	apiErr := asAPIError(t, err)
	assert.Equal(t, http.StatusUnprocessableEntity, apiErr.StatusCode)
	assert.Contains(t, string(apiErr.Body), "intent")
	assert.Len(t, srv.Requests(), before, "the planted request was stopped")

	srv.Inject(midtest.Fault{Path: "/auth/sessions/{id}", Status: 200, Body: `{"success":true,"data":{"id":7},"meta":{}}`})
	_, err = c.Authentication.GetSession(ctx, there.auth.ID)
	require.ErrorIs(t, err, mid.ErrServer, "the planted answer was stopped")
	assert.Equal(t, "application/problem+json", asAPIError(t, err).Header.Get("Content-Type"))
}
