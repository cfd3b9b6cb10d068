package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

// TestModes runs the doctor against the fake in each of its modes: it reads all
// of it, says how it is spelled, and shows nothing of the account's.
func TestModes(t *testing.T) {
	for _, names := range []mid.FieldNames{mid.SnakeCase, mid.CamelCase} {
		for _, envelope := range []midtest.Envelope{midtest.EnvelopeSuccess, midtest.EnvelopeCode} {
			t.Run(map[mid.FieldNames]string{mid.SnakeCase: "snake", mid.CamelCase: "camel"}[names]+
				map[midtest.Envelope]string{midtest.EnvelopeSuccess: " success", midtest.EnvelopeCode: " code"}[envelope], func(t *testing.T) {
				a := newAccount(t, midtest.WithFieldNames(names), midtest.WithEnvelope(envelope))
				var answers []string
				a.changing(func(_ *http.Request, answer *httptest.ResponseRecorder) {
					answers = append(answers, answer.Body.String())
				})
				got := a.diagnosis(t, true)
				require.Zero(t, got.bad(), got.table(true))

				session := got.named(t, opGetAuthSession)
				verified := got.named(t, opVerifyAuth)
				assert.Equal(t, asContract, verified.verdicts()["verified"])
				options := []string{}
				if names == mid.CamelCase {
					options = append(options, "mid.WithFieldNames(mid.CamelCase)")
					assert.Equal(t, otherSpelling, session.verdicts()["created_at"])
					assert.Equal(t, "camelCase", verified.Sent)
				} else {
					assert.Equal(t, asContract, session.verdicts()["created_at"])
					assert.Empty(t, verified.Sent)
				}
				assert.Equal(t, options, got.Options)
				assert.Equal(t, envelope == midtest.EnvelopeCode, session.Envelope != "")
				if names == mid.SnakeCase && envelope == midtest.EnvelopeSuccess {
					for _, c := range got.Checks {
						assert.Equal(t, asContract, c.Verdict, c.Name)
					}
				}
				for _, c := range got.Checks {
					assert.Empty(t, c.fieldsAre(unknown), c.Name)
				}
				showsNothing(t, got, answers, a.ClientID, a.ClientSecret, a.WebhookSecret, a.URL, "Mid Doctor", "@example.com")
			})
		}
	}
}

// showsNothing looks for the values of answers in all that the doctor writes.
func showsNothing(t *testing.T, d *diagnosis, answers []string, values ...string) {
	t.Helper()
	digit := regexp.MustCompile(`[0-9]`)
	for _, answer := range answers {
		var tree any
		require.NoError(t, json.Unmarshal([]byte(answer), &tree))
		for _, text := range texts(tree) {
			if len(text) >= 8 && digit.MatchString(text) { // others are words of the contract
				values = append(values, text)
			}
		}
	}
	require.Greater(t, len(values), 5)
	output := d.table(true) + d.table(false) + d.report() + d.asJSON()
	for _, value := range values {
		assert.NotContains(t, output, value)
	}
}

func texts(tree any) (all []string) {
	switch v := tree.(type) {
	case string:
		return []string{v}
	case []any:
		for _, element := range v {
			all = append(all, texts(element)...)
		}
	case map[string]any:
		for _, member := range v {
			all = append(all, texts(member)...)
		}
	}
	return all
}

// Without -write, nothing is left on the account but sessions that expire.
func TestNothingIsWrittenUnasked(t *testing.T) {
	a := newAccount(t)
	got := a.diagnosis(t, false)
	require.Zero(t, got.bad(), got.table(true))
	for _, r := range a.Requests() {
		assert.True(t, strings.HasPrefix(r.Path, "/auth/"), r.Path)
	}
	assert.Equal(t, notAsked, got.named(t, opUploadSigningDocument).Verdict)
	assert.Contains(t, got.table(false), "give -write")
}

// An operation that the account has not, or may not use, is one line.
func TestAnOperationThatIsRefused(t *testing.T) {
	a := newAccount(t)
	a.Inject(midtest.Fault{Path: "/identity/documents", Times: -1, Status: http.StatusForbidden})
	a.Inject(midtest.Fault{Path: "/auth/verify", Times: -1, Status: http.StatusNotFound})
	got := a.diagnosis(t, true)
	assert.Equal(t, 2, got.bad(), got.table(false))
	documents := got.named(t, opUploadIdentityDocument)
	assert.Equal(t, failed, documents.Verdict)
	assert.Contains(t, documents.Text, "403 Forbidden (forbidden); the account may not use it")
	assert.Equal(t, notAsked, got.named(t, opStartVerification).Verdict)
	assert.Contains(t, got.named(t, opVerifyAuth).Text, "404 Not Found")
	assert.Equal(t, asContract, got.named(t, opGetSigningSession).Verdict)
}

// Errors whose code the SDK does not find are unreadable.
func TestErrorsWithoutCode(t *testing.T) {
	a := newAccount(t)
	a.changing(func(_ *http.Request, answer *httptest.ResponseRecorder) {
		if answer.Code >= 400 {
			edit(answer, func(body map[string]any) { body["error"] = map[string]any{"reason": "none"} })
		}
	})
	got := a.diagnosis(t, false)
	assert.Equal(t, 2, got.bad(), got.table(false))
	assert.Equal(t, unreadable, got.named(t, checkNotFound).Verdict)
}

// The vendor's pages have the status as the code, and error or not.
func TestCodeIsANumber(t *testing.T) {
	a := newAccount(t, midtest.WithEnvelope(midtest.EnvelopeCode))
	a.changing(func(_ *http.Request, answer *httptest.ResponseRecorder) {
		edit(answer, func(body map[string]any) {
			body["code"] = answer.Code
			delete(body, "error")
		})
	})
	got := a.diagnosis(t, true)
	assert.Zero(t, got.bad(), got.table(true))
	session := got.named(t, opGetAuthSession)
	assert.Equal(t, otherSpelling, session.verdicts()["code"])
}

// A server that takes anything shows no error to look at, which is no failure.
func TestAServerThatRefusesNothing(t *testing.T) {
	a := newAccount(t)
	sound := ""
	a.changing(func(r *http.Request, answer *httptest.ResponseRecorder) {
		switch operationOf(r, answer.Code) {
		case opGetAuthSession:
			sound = answer.Body.String()
		case checkNotFound, checkRefused:
			answer.Code = http.StatusOK
			answer.Body.Reset()
			answer.Body.WriteString(sound)
		}
	})
	got := a.diagnosis(t, false)
	assert.Zero(t, got.bad(), got.table(true))
	assert.Equal(t, unknown, got.named(t, checkRefused).Verdict)
}
