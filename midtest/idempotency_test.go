package midtest_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

const idempotencyKey = "Idempotency-Key"

func TestTheSameRequestGetsTheFirstAnswer(t *testing.T) {
	c := start(t)
	login := mid.CreateAuthSessionParams{Intent: mid.IntentLogin}
	first := c.post("/auth/sessions", login, idempotencyKey, "k")
	again := c.post("/auth/sessions", login, idempotencyKey, "k")
	assert.Equal(t, 201, again.status)
	assert.Equal(t, string(first.body), string(again.body))
	assert.Equal(t, first.header.Get("X-Request-Id"), again.header.Get("X-Request-Id"))
	assert.Len(t, c.srv.AuthSessions(), 1)

	for name, r := range map[string]reply{
		"other body": c.post("/auth/sessions", mid.CreateAuthSessionParams{Intent: mid.IntentConsent}, idempotencyKey, "k"),
		"other path": c.post("/auth/verify", login, idempotencyKey, "k"),
	} {
		assert.Equal(t, 409, r.status, name)
		assert.Equal(t, mid.CodeIdempotencyConflict, r.Error.Code, name)
	}
	for _, key := range []string{strings.Repeat("k", 256), ""} {
		r := c.post("/auth/sessions", login, idempotencyKey, key)
		assert.Equal(t, 400, r.status)
		assert.Equal(t, []string{idempotencyKey}, fields(r))
	}
	assert.Equal(t, 201, c.post("/auth/sessions", login, idempotencyKey, strings.Repeat("k", 255)).status)
	assert.Equal(t, 201, c.post("/auth/sessions", login, idempotencyKey, strings.Repeat("ü", 255)).status)
}

func TestOneRequestHasOneIdempotencyKey(t *testing.T) {
	c := start(t)
	req := c.request(http.MethodPost, "/auth/sessions", strings.NewReader(`{"intent":"login"}`))
	req.Header["Content-Type"] = []string{"application/json"}
	req.Header[idempotencyKey] = []string{"k", "k"}
	r := c.send(req)
	assert.Equal(t, 400, r.status)
	assert.Equal(t, []mid.FieldError{{Field: idempotencyKey, Message: "must be given once"}}, r.Error.Details)
	assert.Empty(t, c.srv.AuthSessions())
}

func TestGetsTakeNoIdempotencyKey(t *testing.T) {
	c := start(t)
	session := c.session("")
	look := func() mid.AuthStatus {
		req := c.request(http.MethodGet, "/auth/sessions/"+session.ID, nil)
		req.Header.Set(idempotencyKey, "k")
		return data[mid.AuthSession](t, c.send(req)).Status
	}
	assert.Equal(t, mid.AuthPending, look())
	require.NoError(t, c.srv.Approve(session.ID, ""))
	assert.Equal(t, mid.AuthApproved, look(), "as it is now, not as it was answered first")
	r := c.post("/auth/sessions", mid.CreateAuthSessionParams{Intent: mid.IntentLogin}, idempotencyKey, "k")
	assert.Equal(t, 201, r.status, "the key is still free")
}

func TestUploadsAreComparedByContent(t *testing.T) {
	c := start(t)
	send := func(content string) reply {
		return c.upload("/signing/documents", []part{{"file", "a.pdf", "application/pdf", content}}, idempotencyKey, "k")
	}
	first := send("one")
	assert.Equal(t, string(first.body), string(send("one").body), "with another boundary")
	assert.Equal(t, 409, send("two").status)
}

func TestFailuresAreNotRemembered(t *testing.T) {
	c := start(t)
	login := mid.CreateAuthSessionParams{Intent: mid.IntentLogin}
	c.srv.Inject(midtest.Fault{Path: "/auth/sessions", Status: 503})
	assert.Equal(t, 503, c.post("/auth/sessions", login, idempotencyKey, "k").status)
	assert.Equal(t, 400, c.post("/auth/sessions", "{}", idempotencyKey, "k").status)
	assert.Equal(t, 201, c.post("/auth/sessions", login, idempotencyKey, "k").status)
}

func TestTwoAtOnceCreateOneThing(t *testing.T) {
	c := start(t)
	bodies := make([]string, 8)
	var wg sync.WaitGroup
	for i := range bodies {
		wg.Go(func() {
			r := c.post("/auth/sessions", mid.CreateAuthSessionParams{Intent: mid.IntentLogin}, idempotencyKey, "k")
			bodies[i] = string(r.body)
		})
	}
	wg.Wait()
	for _, b := range bodies {
		assert.Equal(t, bodies[0], b)
	}
	assert.Len(t, c.srv.AuthSessions(), 1)
}
