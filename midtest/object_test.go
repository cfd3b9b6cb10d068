package midtest_test

import (
	"fmt"
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
