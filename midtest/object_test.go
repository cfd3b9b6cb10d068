package midtest_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/mobid-io/mid-go"
)

// What was sent is checked, whatever it is: the contract's types are not
// nullable, its names are case-sensitive, and an empty text is not an absent
// one.
func TestRequestsAreHeldToTheContract(t *testing.T) {
	c := start(t)
	front, selfie := c.document(mid.DocumentPassport, "").ID, c.document(mid.DocumentSelfie, "").ID
	verify := func(more string) string {
		return fmt.Sprintf(`{"document_type":"passport","country":"DE","document_front_id":%q,"selfie_id":%q%s}`, front, selfie, more)
	}
	doc := c.contract().ID
	sign := func(more string) string {
		return fmt.Sprintf(`{"document_ids":[%q],"signers":[{"name":"Ada","email":"ada@example.com"}]%s}`, doc, more)
	}
	const login, identity, signing = "/auth/sessions", "/identity/verify", "/signing/sessions"
	for _, tc := range []struct{ path, body, field, message string }{
		{login, `{"INTENT":"login"}`, "intent", "is required"},
		{login, `{"intent":""}`, "intent", "must be one of: login, payment, consent"},
		{login, `{"intent": null }`, "intent", "must be a string"},
		{login, `{"intent":"login","recipient":""}`, "recipient", "must be a mobile number in E.164 form"},
		{login, `{"intent":"login","recipient":null}`, "recipient", "must be a string"},
		{login, `{"intent":"login","callback_url":""}`, "callback_url", "must be an absolute http or https URL"},
		{login, `{"intent":"login","callback_url":"https://shop.example.com/a b"}`, "callback_url", "must be an absolute http or https URL"},
		{login, `{"intent":"login","callback_url":"https://shop.example.com/?q=a b"}`, "callback_url", "must be an absolute http or https URL"},
		{login, `{"intent":"login","callback_url":"https://shop.example.com/?q=%zz"}`, "callback_url", "must be an absolute http or https URL"},
		{login, `{"intent":"login","callback_url":"https://shop.example.com/\"quoted\""}`, "callback_url", "must be an absolute http or https URL"},
		{login, `{"intent":"login","callback_url":"https://shop.example.com:99999/"}`, "callback_url", "must be an absolute http or https URL"},
		{login, `{"intent":"login","callback_url":"https://shop.example.com:0/"}`, "callback_url", "must be an absolute http or https URL"},
		{login, `{"intent":"login","callback_url":"https://:443/"}`, "callback_url", "must be an absolute http or https URL"},
		{login, `{"intent":"login","callbackUrl":"https://shop.example.com/"}`, "callbackUrl", "is spelled callback_url here"},
		{login, `{"intent":"login","callback_url":null}`, "callback_url", "must be a string"},
		{login, `{"intent":"login","metadata":null}`, "metadata", "must be an object whose values are strings"},
		{login, `{"intent":"login","metadata":[]}`, "metadata", "must be an object whose values are strings"},
		{login, `{"intent":"login","metadata":{"a":7}}`, "metadata", "must be an object whose values are strings"},
		{login, `{"intent":"login","metadata":{"a":null}}`, "metadata", "must be an object whose values are strings"},
		{"/auth/verify", `{"Session_ID":"sess_1"}`, "session_id", "is required"},
		{"/auth/verify", `{"session_id":""}`, "session_id", "must not be empty"},
		{"/auth/token", `{"client_id":"","client_secret":"s","grant_type":"client_credentials"}`, "client_id", "must not be empty"},
		{"/auth/token", `{"client_id":"c","client_secret":"s","grant_type":""}`, "grant_type", "must be one of: client_credentials"},
		{identity, verify(`,"document_back_id":""`), "document_back_id", "must be the id of an uploaded identity document"},
		{identity, verify(`,"document_back_id":null`), "document_back_id", "must be a string"},
		{identity, verify(`,"callback_url":""`), "callback_url", "must be an absolute http or https URL"},
		{identity, verify(`,"callback_url":"/hook"`), "callback_url", "must be an absolute http or https URL"},
		{identity, verify(`,"metadata":{"a":false}`), "metadata", "must be an object whose values are strings"},
		{signing, sign(`,"callback_url":""`), "callback_url", "must be an absolute http or https URL"},
		{signing, sign(`,"callback_url":"ftp://example.com"`), "callback_url", "must be an absolute http or https URL"},
		{signing, sign(`,"expires_in":null`), "expires_in", "must be a whole number"},
		{signing, sign(`,"expires_in":1.5`), "expires_in", "must be a whole number"},
		{signing, sign(`,"expires_in":"1"`), "expires_in", "must be a whole number"},
		{signing, sign(`,"expires_in":1e400`), "expires_in", "must be a whole number"},
		{signing, sign(`,"expires_in":-1.0`), "expires_in", "must be a number of hours from 1 to 87600"},
		{signing, sign(`,"require_biometric":null`), "require_biometric", "must be true or false"},
		{signing, sign(`,"metadata":null`), "metadata", "must be an object whose values are strings"},
		{signing, sign(`,"document_ids":[]`), "document_ids", "must have at least one item"},
		{signing, sign(`,"document_ids":null`), "document_ids", "must be an array"},
		{signing, sign(`,"document_ids":[null]`), "document_ids[0]", "must be a string"},
		{signing, sign(`,"document_ids":[""]`), "document_ids[0]", "must be the id of an uploaded signing document"},
		{signing, sign(`,"signers":[null]`), "signers[0]", "must be an object"},
		{signing, sign(`,"signers":[{"NAME":"Ada","email":"ada@example.com"}]`), "signers[0].name", "is required"},
		{signing, sign(`,"signers":[{"name":"","email":"ada@example.com"}]`), "signers[0].name", "must not be empty"},
		{signing, sign(`,"signers":[{"name":"Ada","email":""}]`), "signers[0].email", "must be an e-mail address"},
	} {
		r := c.post(tc.path, tc.body)
		assert.Equal(t, 400, r.status, tc.body)
		assert.Equal(t, []mid.FieldError{{Field: tc.field, Message: tc.message}}, r.Error.Details, tc.body)
	}
	assert.Empty(t, c.srv.AuthSessions())
	assert.Empty(t, c.srv.Verifications())
	assert.Empty(t, c.srv.SigningSessions())
	assert.Equal(t, 201, c.post(login, `{"intent":"login","INTENT":"dance","Recipient":"","metadata":{}}`).status, "other names are let be")
}

func TestEmptyFormFieldsAreNotAbsent(t *testing.T) {
	c := start(t)
	file := part{"file", "a.png", "image/png", "x"}
	for _, field := range []string{"side", "country"} {
		r := c.upload("/identity/documents", []part{file, {name: "type", content: "passport"}, {name: field}})
		assert.Equal(t, 400, r.status)
		assert.Equal(t, []string{field}, fields(r))
	}
}

func TestTextsMustBeUTF8(t *testing.T) {
	c := start(t)
	r := c.post("/auth/sessions", "{\"intent\":\"login\",\"metadata\":{\"name\":\"Zo\xeb\"}}")
	assert.Equal(t, 400, r.status)
	assert.Equal(t, "the body is not valid UTF-8", r.Error.Message)
	for _, parts := range [][]part{
		{{"file", "lease.pdf", "application/pdf", "%PDF"}, {name: "name", content: "Zo\xeb"}},
		{{"file", "zo\xeb.pdf", "application/pdf", "%PDF"}},
		{{"file", "lease.pdf", "application/pdf", "%PDF\xeb"}},
	} {
		r := c.upload("/signing/documents", parts)
		if parts[0].content != "%PDF" {
			assert.Equal(t, 201, r.status, "a file is no text")
			continue
		}
		assert.Equal(t, 400, r.status)
		assert.Contains(t, r.Error.Details[0].Message, "must be valid UTF-8")
	}
	r = c.post("/auth/sessions", mid.CreateAuthSessionParams{Intent: mid.IntentLogin}, idempotencyKey, "\xeb")
	assert.Equal(t, []string{idempotencyKey}, fields(r))
	assert.Empty(t, c.srv.AuthSessions())
}

// The whole body counts towards no more than a bound, however its bytes are
// spent.
func TestLongRequestsTakeBoundedMemory(t *testing.T) {
	c := start(t)
	doc := c.contract().ID
	fill := func(before, item, after string) string {
		n := (1<<20 - len(before) - len(after)) / (len(item) + 1)
		return before + strings.Repeat(item+",", n-1) + item + after
	}
	const ada = `[{"name":"Ada","email":"ada@example.com"}]`
	for name, tc := range map[string]struct{ body, field string }{
		"documents": {fill(`{"signers":`+ada+`,"document_ids":[`, `"`+doc+`"`, `]}`), "document_ids"},
		"no texts":  {fill(`{"signers":`+ada+`,"document_ids":[`, `7`, `]}`), "document_ids"},
		"signers":   {fill(`{"document_ids":["`+doc+`"],"signers":[`, `{"name":"A","email":"a@b.c"}`, `]}`), "signers"},
		"objects":   {fill(`{"document_ids":["`+doc+`"],"signers":[`, `{}`, `]}`), "signers"},
		"numbers":   {fill(`{"document_ids":["`+doc+`"],"signers":[`, `7`, `]}`), "signers"},
	} {
		t.Run(name, func(t *testing.T) {
			c.t = t
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			r := c.post("/signing/sessions", tc.body)
			runtime.ReadMemStats(&after)
			assert.Equal(t, 400, r.status)
			assert.LessOrEqual(t, len(r.Error.Details), 100)
			assert.Contains(t, r.Error.Details, mid.FieldError{Field: tc.field, Message: "must not have more than 1000 items"})
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(16<<20), "bytes allocated in all")
		})
	}
	c.t = t
	assert.Empty(t, c.srv.SigningSessions())
}
