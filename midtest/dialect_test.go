package midtest_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

func TestEnvelopeWithCode(t *testing.T) {
	srv := midtest.NewServer(midtest.WithEnvelope(midtest.EnvelopeCode))
	defer srv.Close()
	c := &caller{t: t, srv: srv}
	answer := whole(t, c.post("/auth/token", tokenRequest(srv)))
	assert.Equal(t, []string{"code", "data", "error", "message"}, members(answer))
	assert.Equal(t, false, answer["error"])
	c.token = answer["data"].(anyObject)["access_token"].(string)

	r := c.post("/auth/sessions", mid.CreateAuthSessionParams{Intent: mid.IntentLogin})
	assert.Equal(t, 201, r.status)
	answer = whole(t, r)
	assert.Equal(t, []string{"code", "data", "error", "message"}, members(answer))
	assert.Equal(t, "ok", answer["code"])
	assert.Equal(t, srv.AuthSessions()[0].ID, answer["data"].(anyObject)["id"])
	assert.Regexp(t, "^req_", r.header.Get("X-Request-Id"))

	r = c.post("/auth/sessions", "{}")
	assert.Equal(t, 400, r.status)
	assert.Equal(t, anyObject{
		"error": true, "code": "invalid_request", "message": "the request is invalid",
		"details": []any{anyObject{"field": "intent", "message": "is required"}},
	}, whole(t, r))
	srv.Inject(midtest.Fault{RetryAfter: 3 * time.Second})
	assert.Equal(t, anyObject{
		"error": true, "code": "rate_limit_exceeded", "message": "an injected fault", "retry_after": 3.0,
	}, whole(t, c.get("/nothing")))
}

func TestNamesAndEnvelopeGoTogether(t *testing.T) {
	srv := midtest.NewServer(midtest.WithEnvelope(midtest.EnvelopeCode), midtest.WithFieldNames(mid.CamelCase))
	defer srv.Close()
	c := &caller{t: t, srv: srv}
	c.token = whole(t, c.post("/auth/token", tokenRequest(srv)))["data"].(anyObject)["access_token"].(string)
	login := mid.CreateAuthSessionParams{Intent: mid.IntentLogin}
	first := c.post("/auth/sessions", login, idempotencyKey, "k")
	require.Equal(t, 201, first.status)
	assert.Contains(t, whole(t, first)["data"], "sessionId")
	assert.Equal(t, string(first.body), string(c.post("/auth/sessions", login, idempotencyKey, "k").body))
	srv.Inject(midtest.Fault{RetryAfter: 3 * time.Second})
	assert.Contains(t, string(c.get("/nothing").body), `"retryAfter":3`)
}
