package e2e_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/mobid-io/mid-go"
)

// TestPrismMock calls a server that was made only of the contract.
func TestPrismMock(t *testing.T) {
	base := prism(t, "mock", "--errors")
	var watch violationWatch
	c, err := mid.NewClient("client", "secret", mid.WithBaseURL(base), mid.WithMiddleware(watch.wrap),
		mid.WithLimiter(noLimiter{}), quickRetries(0))
	require.NoError(t, err)
	ctx, there := bounded(t), newWorld(t, newMID(t))

	for _, op := range there.operations(t) {
		if op.upload {
			continue
		}
		var answer mid.Response
		require.NoError(t, op.call(ctx, c, mid.WithResponse(&answer)), op.id)
		assert.Equal(t, op.status, answer.StatusCode, op.id)
		assert.Equal(t, "req_1234567890", answer.RequestID, op.id)

		err := op.call(ctx, c, mid.WithHeader("Prefer", "code=429"))
		require.ErrorIs(t, err, mid.ErrRateLimited, op.id)
	}
	assert.Empty(t, watch.take())
	// The mock's token lives for a second: a slow run has it renewed.
	assert.GreaterOrEqual(t, watch.sends, 1+7*2)

	err = c.Call(ctx, http.MethodPost, "/auth/sessions", map[string]any{"intent": "dance"}, nil)
	assert.Equal(t, http.StatusUnprocessableEntity, asAPIError(t, err).StatusCode, "a planted request")
}

// TestPrismDynamic decodes answers with whatever the contract allows: values
// outside the known sets, optional fields there or not. The token is not such
// an answer: Prism's would be no header field.
func TestPrismDynamic(t *testing.T) {
	base := prism(t, "mock", "--dynamic", "--errors")
	ctx, there := bounded(t), newWorld(t, newMID(t))
	tokens := mid.OAuth2TokenSource(oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "static"}))
	c, err := mid.NewClient("", "", mid.WithBaseURL(base), mid.WithTokenSource(tokens), mid.WithLimiter(noLimiter{}), quickRetries(0))
	require.NoError(t, err)
	for i := range 10 {
		for _, op := range there.operations(t) {
			if op.upload {
				continue
			}
			var answer mid.Response
			require.NoError(t, op.call(ctx, c, mid.WithResponse(&answer)), "%s, round %d: %s", op.id, i, answer.Data)
			assert.NotEmpty(t, answer.Data, op.id)
		}
	}
}
