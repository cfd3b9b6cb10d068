package e2e_test

import (
	"net/http"
	"regexp"
	"testing"
)

// answerPlants has a violation of each kind that an answer can have.
func answerPlants() []plant {
	return append(headPlants(), dataPlants()...)
}

func headPlants() []plant {
	const auth, get = "createAuthSession", "getAuthSession"
	return []plant{
		{"no limit", auth, withAnswerHeader("X-Ratelimit-Limit", ""), "X-RateLimit-Limit"},
		{"no remaining", get, withAnswerHeader("X-Ratelimit-Remaining", ""), "X-RateLimit-Remaining"},
		{"no reset", get, withAnswerHeader("X-Ratelimit-Reset", ""), "X-RateLimit-Reset"},
		{"remaining that is no number", get, withAnswerHeader("X-Ratelimit-Remaining", "many"), "X-RateLimit-Remaining"},
		{"negative remaining", get, withAnswerHeader("X-Ratelimit-Remaining", "-1"), "X-RateLimit-Remaining"},
		{"reset as a date", get, withAnswerHeader("X-Ratelimit-Reset", "Mon, 02 Jan 2006 15:04:05 GMT"), "X-RateLimit-Reset"},
		{"undeclared status", auth, withStatus(http.StatusOK), "error"},
		{"no content", auth, func(_ *testing.T, x *exchange) {
			x.status, x.answer = http.StatusNoContent, nil
			x.answerHeader.Del("Content-Type")
		}, "Content-Type"},
		{"redirect", get, withStatus(http.StatusTemporaryRedirect), "307"},
		{"error in the form of a success", get, withStatus(http.StatusNotFound), "error"},
		{"rate limit in the form of a success", get, withStatus(http.StatusTooManyRequests), "error"},
		{"page", get, withAnswerHeader("Content-Type", "text/html"), "Content-Type"},
		{"empty", get, func(_ *testing.T, x *exchange) { x.answer = nil }, "body"},
		{"cut short", get, func(_ *testing.T, x *exchange) { x.answer = x.answer[:len(x.answer)/2] }, "body"},
		{"success that says it is none", get, inAnswer(`"success":true`, `"success":false`), "success"},
		{"no success", get, inAnswer(`"success":true,`, ``), "success"},
		{"no meta", get, func(_ *testing.T, x *exchange) {
			x.answer = regexp.MustCompile(`,"meta":\{[^}]*\}`).ReplaceAll(x.answer, nil)
		}, "meta"},
		{"no request id", get, inAnswer(`"request_id"`, `"requestId"`), "request_id"},
		{"no data", get, inAnswer(`"data":{`, `"result":{`), "data"},
	}
}

func dataPlants() []plant {
	const get = "getAuthSession"
	return []plant{
		{"field missing", get, inAnswer(`"qr_data"`, `"qr"`), "qr_data"},
		{"undeclared field", get, inAnswer(`"status"`, `"state":"new","status"`), "state"},
		{"field of the wrong type", get, inAnswer(`"status":"pending"`, `"status":1`), "status"},
		{"null", get, inAnswer(`"status":"pending"`, `"status":null`), "status"},
		{"time as a number", get, func(_ *testing.T, x *exchange) {
			x.answer = regexp.MustCompile(`"created_at":"[^"]*"`).ReplaceAll(x.answer, []byte(`"created_at":1700000000`))
		}, "created_at"},
		{"time that is none", get, func(_ *testing.T, x *exchange) {
			x.answer = regexp.MustCompile(`"created_at":"[^"]*"`).ReplaceAll(x.answer, []byte(`"created_at":"today"`))
		}, "created_at"},
		{"metadata that is no text", get, inAnswer(`"7"`, `7`), "metadata"},
		{"confidence over one", "getVerification", inAnswer(`"status"`, `"confidence":1.5,"status"`), "confidence"},
		{"date with a time", "getVerification", inAnswer(`"status"`, `"extracted_data":{"expiry_date":"2030-01-01T00:00:00Z"},"status"`), "expiry_date"},
		{"size as text", "uploadIdentityDocument", func(_ *testing.T, x *exchange) {
			x.answer = regexp.MustCompile(`"size":(\d+)`).ReplaceAll(x.answer, []byte(`"size":"$1"`))
		}, "size"},
		{"signer without a link", "getSigningSession", func(_ *testing.T, x *exchange) {
			x.answer = regexp.MustCompile(`,?"sign_url":"[^"]*"`).ReplaceAll(x.answer, nil)
		}, "sign_url"},
		{"signers as an object", "getSigningSession", func(_ *testing.T, x *exchange) {
			x.answer = regexp.MustCompile(`"signers":\[.*?\]`).ReplaceAll(x.answer, []byte(`"signers":{}`))
		}, "signers"},
		{"another token type", "createToken", inAnswer(`"Bearer"`, `"mac"`), "token_type"},
		{"token for no time", "createToken", inAnswer(`"expires_in":3600`, `"expires_in":0`), "expires_in"},
		{"bare token", "createToken", func(_ *testing.T, x *exchange) {
			x.answer = []byte(`{"access_token":"x","token_type":"Bearer","expires_in":60}`)
		}, "success"},
	}
}
