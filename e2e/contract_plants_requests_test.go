package e2e_test

import (
	"regexp"
	"strings"
	"testing"
)

// requestPlants has a violation of each kind that a request can have.
func requestPlants() []plant {
	return append(jsonPlants(), formPlants()...)
}

func jsonPlants() []plant {
	const token, auth, verify, sign = "createToken", "createAuthSession", "startVerification", "createSigningSession"
	return []plant{
		{"wrong type of a field", auth, inBody(`"payment"`, `7`), "intent"},
		{"null for a field", auth, inBody(`"payment"`, `null`), "intent"},
		{"value outside the set", auth, inBody(`"payment"`, `"dance"`), "intent"},
		{"required field missing", auth, inBody(`"intent":"payment",`, ``), "intent"},
		{"undeclared field", auth, inBody(`"intent"`, `"intention":1,"intent"`), "intention"},
		{"number against the pattern", auth, inBody(`+14155550123`, `04155550123`), "recipient"},
		{"metadata that is no text", auth, inBody(`"7"`, `7`), "metadata"},
		{"URL that is none", auth, inBody(`"http://127.0.0.1:9/hook?from=mid"`, `"not a url"`), "callback_url"},
		{"country in lower case", verify, inBody(`"DE"`, `"de"`), "country"},
		{"selfie as a document", verify, inBody(`"national_id"`, `"selfie"`), "document_type"},
		{"empty id", verify, func(t *testing.T, x *exchange) {
			x.body = regexp.MustCompile(`"selfie_id":"[^"]+"`).ReplaceAll(x.body, []byte(`"selfie_id":""`))
		}, "selfie_id"},
		{"no items", sign, func(t *testing.T, x *exchange) {
			x.body = regexp.MustCompile(`"document_ids":\[[^]]+\]`).ReplaceAll(x.body, []byte(`"document_ids":[]`))
		}, "document_ids"},
		{"item of the wrong type", sign, func(t *testing.T, x *exchange) {
			x.body = regexp.MustCompile(`"document_ids":\[[^]]+\]`).ReplaceAll(x.body, []byte(`"document_ids":[3]`))
		}, "document_ids"},
		{"required field of an item missing", sign, inBody(`,"email":"ada@example.com"`, ``), "email"},
		{"address that is none", sign, inBody(`ada@example.com`, `ada`), "email"},
		{"fraction of an hour", sign, inBody(`"expires_in":48`, `"expires_in":0.5`), "expires_in"},
		{"number as text", sign, inBody(`"expires_in":48`, `"expires_in":"48"`), "expires_in"},
		{"text as boolean", sign, inBody(`"require_biometric":false`, `"require_biometric":"no"`), "require_biometric"},
		{"wrong grant", token, inBody(`client_credentials`, `password`), "grant_type"},
		{"form for a token", token, withHeader("Content-Type", "application/x-www-form-urlencoded"), "Content-Type"},
		{"idempotency key of a token", token, withHeader("Idempotency-Key", "1"), "Idempotency-Key"},
		{"token for a token", token, withHeader("Authorization", "Bearer x"), "takes no token"},
		{"no JSON", auth, inBody(`{"intent`, `"intent`), "body"},
		{"no body", auth, func(_ *testing.T, x *exchange) { x.body = nil }, "body"},
		{"body of a GET", "getAuthSession", func(_ *testing.T, x *exchange) { x.body = []byte("{}") }, "body"},
		{"wrong media type", auth, withHeader("Content-Type", "text/plain"), "Content-Type"},
		{"no media type", auth, withHeader("Content-Type", ""), "Content-Type"},
		{"wrong path", auth, func(_ *testing.T, x *exchange) { x.url.Path = "/v1/auth/session" }, "no matching operation"},
		{"wrong version", auth, func(_ *testing.T, x *exchange) { x.url.Path = "/v2/auth/sessions" }, "no matching operation"},
		{"wrong method", auth, func(_ *testing.T, x *exchange) { x.method = "PUT" }, "method not allowed"},
		{"undeclared query", "getAuthSession", func(_ *testing.T, x *exchange) { x.url.RawQuery = "expand=1" }, "expand"},
		{"no token", auth, withHeader("Authorization", ""), "security"},
		{"basic authentication", auth, withHeader("Authorization", "Basic eDp5"), "security"},
		{"header too long", auth, withHeader("Idempotency-Key", strings.Repeat("k", 256)), "Idempotency-Key"},
	}
}

func formPlants() []plant {
	const identity, signing = "uploadIdentityDocument", "uploadSigningDocument"
	return []plant{
		{"part missing", identity, inBody(`name="type"`, `name="side"`), "type"},
		{"file missing", signing, inBody(`name="file"`, `name="name"`), ""},
		{"undeclared part", identity, inBody(`name="side"`, `name="page"`), "page"},
		{"part with a value outside the set", identity, inBody("\r\n\r\npassport\r\n", "\r\n\r\nlibrary card\r\n"), "type"},
		{"part against the pattern", identity, inBody("\r\n\r\nFR\r\n", "\r\n\r\nFrance\r\n"), "country"},
		{"file of another type", identity, inBody("Content-Type: image/png", "Content-Type: text/html"), "text/html"},
		{"picture to be signed", signing, inBody("Content-Type: application/pdf", "Content-Type: image/png"), "image/png"},
		{"another boundary", identity, withHeader("Content-Type", "multipart/form-data; boundary=other"), ""},
		{"no boundary", identity, withHeader("Content-Type", "multipart/form-data"), ""},
		{"JSON for a form", identity, withHeader("Content-Type", "application/json"), "Content-Type"},
		{"cut short", identity, func(_ *testing.T, x *exchange) { x.body = x.body[:len(x.body)-20] }, ""},
	}
}
