package midtest_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

type anyObject = map[string]any

// members are the names of an object's members, sorted.
func members(v anyObject) []string { return slices.Sorted(maps.Keys(v)) }

func TestAnswersAndEventsInCamelCase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := start(t, midtest.WithInMemory(), midtest.WithFieldNames(mid.CamelCase))
		var rec receiver
		c.srv.HandleCallbacks(&rec)
		const metadata = `{"order_id":"7","nested_key":"a_b"}`

		r := c.post("/auth/sessions", `{"intent":"login","recipient":"+14155550123","callbackUrl":"`+callback+`","metadata":`+metadata+`}`)
		require.Equal(t, 201, r.status, "%s", r.body)
		session := data[anyObject](t, r)
		assert.Equal(t, []string{"createdAt", "expiresAt", "intent", "metadata", "qrCode", "qrData", "recipient", "sessionId", "status"}, members(session))
		assert.Equal(t, anyObject{"order_id": "7", "nested_key": "a_b"}, session["metadata"], "the caller's own")
		id := session["sessionId"].(string)
		assert.Equal(t, []string{"data", "meta", "success"}, members(whole(t, r)))
		assert.Equal(t, []string{"requestId", "timestamp"}, members(whole(t, r)["meta"].(anyObject)))

		require.NoError(t, c.srv.Approve(id, "user_ada"))
		synctest.Wait()
		event := data[anyObject](t, reply{envelope: envelope{Success: true, Data: rec.got[0].payload}})
		assert.Equal(t, []string{"data", "id", "timestamp", "type"}, members(event))
		assert.Equal(t, data[anyObject](t, c.get("/auth/sessions/"+id)), event["data"], "the resource is spelled as in its GET")
		assert.Equal(t, id, event["data"].(anyObject)["sessionId"])
		assert.Equal(t, id, c.srv.Events()[0].SubjectID)

		result := data[anyObject](t, c.post("/auth/verify", `{"sessionId":"`+id+`"}`))
		assert.Equal(t, []string{"method", "sessionId", "status", "userId", "verified", "verifiedAt"}, members(result))

		front := c.uploaded("/identity/documents", []part{{name: "type", content: "passport"}, {"file", "page.png", "image/png", "x"}})
		assert.Equal(t, []string{"contentType", "createdAt", "documentId", "fileName", "sha256", "size", "type"}, members(front))
		selfie := c.uploaded("/identity/documents", []part{{name: "type", content: "selfie"}, {"file", "me.png", "image/png", "x"}})
		r = c.post("/identity/verify", fmt.Sprintf(`{"documentType":"passport","country":"DE","documentFrontId":%q,"selfieId":%q}`,
			front["documentId"], selfie["documentId"]))
		require.Equal(t, 202, r.status, "%s", r.body)
		v := data[anyObject](t, r)
		assert.Equal(t, []string{"checks", "country", "createdAt", "documentType", "estimatedTime", "status", "verificationId"}, members(v))
		assert.Contains(t, v["checks"], "livenessDetection")
		require.NoError(t, c.srv.CompleteVerification(v["verificationId"].(string), midtest.Outcome{}))
		v = data[anyObject](t, c.get("/identity/verifications/"+v["verificationId"].(string)))
		assert.Contains(t, v["extractedData"], "dateOfBirth")

		contract := c.uploaded("/signing/documents", []part{{"file", "lease.pdf", "application/pdf", "%PDF"}})
		r = c.post("/signing/sessions", fmt.Sprintf(`{"documentIds":[%q],"signers":[{"name":"Ada","email":"ada@example.com"}],`+
			`"expiresIn":2,"requireBiometric":false,"metadata":%s}`, contract["documentId"], metadata))
		require.Equal(t, 201, r.status, "%s", r.body)
		signing := data[anyObject](t, r)
		assert.Equal(t, []string{"createdAt", "documentIds", "expiresAt", "metadata", "requireBiometric", "signatureRequestId", "signers", "status"}, members(signing))
		assert.Contains(t, signing["signers"].([]any)[0], "signUrl")
		assert.Equal(t, false, signing["requireBiometric"])
		assert.Equal(t, 200, c.get("/signing/sessions/"+signing["signatureRequestId"].(string)).status)
	})
}

// uploaded uploads and returns what it was answered.
func (c *caller) uploaded(path string, parts []part) anyObject {
	c.t.Helper()
	r := c.upload(path, parts)
	require.Equal(c.t, 201, r.status, "%s", r.body)
	return data[anyObject](c.t, r)
}

// whole is the answer with its envelope.
func whole(t *testing.T, r reply) (v anyObject) {
	t.Helper()
	require.NoError(t, json.Unmarshal(r.body, &v), "%s", r.body)
	return v
}

func TestTheOtherSpellingIsRefused(t *testing.T) {
	snake, camel := start(t), start(t, midtest.WithFieldNames(mid.CamelCase))
	docs := map[*caller]string{snake: snake.contract().ID, camel: camel.uploaded("/signing/documents", []part{{"file", "a.pdf", "application/pdf", "x"}})["documentId"].(string)}
	for _, tc := range []struct {
		c          *caller
		path, body string
		details    []mid.FieldError
	}{
		{camel, "/auth/verify", `{"session_id":"s"}`, []mid.FieldError{{Field: "sessionId", Message: "is required"}, {Field: "session_id", Message: "is spelled sessionId here"}}},
		{snake, "/auth/verify", `{"sessionId":"s"}`, []mid.FieldError{{Field: "session_id", Message: "is required"}, {Field: "sessionId", Message: "is spelled session_id here"}}},
		{camel, "/auth/sessions", `{"intent":"login","callback_url":"` + callback + `"}`, []mid.FieldError{{Field: "callback_url", Message: "is spelled callbackUrl here"}}},
		{snake, "/auth/sessions", `{"intent":"login","callbackUrl":"` + callback + `"}`, []mid.FieldError{{Field: "callbackUrl", Message: "is spelled callback_url here"}}},
		{
			camel, "/signing/sessions", `{"documentIds":["` + docs[camel] + `",7],"signers":[{"name":"Ada","email":"ada@example.com"}],"expires_in":2,"require_biometric":false}`,
			[]mid.FieldError{
				{Field: "documentIds[1]", Message: "must be a string"},
				{Field: "expires_in", Message: "is spelled expiresIn here"},
				{Field: "require_biometric", Message: "is spelled requireBiometric here"},
			},
		},
		{camel, "/identity/verify", `{"document_type":"passport"}`, []mid.FieldError{
			{Field: "documentType", Message: "is required"},
			{Field: "document_type", Message: "is spelled documentType here"},
			{Field: "country", Message: "is required"},
			{Field: "documentFrontId", Message: "is required"},
			{Field: "selfieId", Message: "is required"},
		}},
	} {
		r := tc.c.post(tc.path, tc.body)
		assert.Equal(t, 400, r.status, tc.body)
		assert.Equal(t, tc.details, r.Error.Details, tc.body)
	}
}

// The token endpoint speaks OAuth, whose names are a standard's (RFC 6749).
func TestTokensAreNotSpelledInCamelCase(t *testing.T) {
	c := start(t, midtest.WithFieldNames(mid.CamelCase)) // it got a token with client_id and the like
	token := data[anyObject](t, c.post("/auth/token", tokenRequest(c.srv)))
	assert.Equal(t, []string{"access_token", "expires_in", "token_type"}, members(token))
}

func TestErrorsInCamelCase(t *testing.T) {
	c := start(t, midtest.WithFieldNames(mid.CamelCase))
	c.srv.Inject(midtest.Fault{RetryAfter: 3e9})
	assert.Equal(t, anyObject{"code": "rate_limit_exceeded", "message": "an injected fault", "retryAfter": 3.0}, whole(t, c.get("/nothing"))["error"])
}
