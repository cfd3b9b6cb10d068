package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/mobid-io/mid-go"
)

// The other names of ids, which the doctor takes for ids, are those that the SDK
// takes for them: a field that the SDK does not read would be unreadable.
func TestNamesOfIDs(t *testing.T) {
	operations := map[*schema]string{
		authSession: opCreateAuthSession, verification: opStartVerification, signingSession: opCreateSigningSession,
		identityDocument: opUploadIdentityDocument, signingDocument: opUploadSigningDocument,
	}
	a := newAccount(t)
	for s, operation := range operations {
		for _, name := range s.idNames {
			a.changing(func(r *http.Request, answer *httptest.ResponseRecorder) {
				if operationOf(r, answer.Code) == operation {
					edit(answer, func(body map[string]any) {
						data := body["data"].(map[string]any)
						data[name] = data["id"]
						delete(data, "id")
					})
				}
			})
			got := a.diagnosis(t, true)
			assert.Zero(t, got.bad(), got.table(true))
			c := got.named(t, operation)
			assert.Equal(t, otherSpelling, c.verdicts()["id"], name)
		}
	}
}

// What comes in another spelling beside an id and a status in the contract's is
// not read by the SDK, and the doctor says so.
func TestMixedSpellings(t *testing.T) {
	a := newAccount(t)
	a.changing(func(r *http.Request, answer *httptest.ResponseRecorder) {
		if operationOf(r, answer.Code) == opGetAuthSession {
			edit(answer, func(body map[string]any) {
				data := body["data"].(map[string]any)
				data["expiresAt"], data["created_at"] = data["expires_at"], "yesterday"
				data["ada@example.com"] = true
				delete(data, "expires_at")
			})
		}
	})
	got := a.diagnosis(t, false)
	c := got.named(t, opGetAuthSession)
	assert.Equal(t, unreadable, c.Verdict, got.table(true))
	assert.Equal(t, unreadable, c.verdicts()["created_at"])
	assert.Equal(t, unreadable, c.verdicts()["expires_at"])
	assert.NotContains(t, got.table(true)+got.report()+got.asJSON(), "ada@")
	assert.Contains(t, got.table(false), "(a name that is not shown)")
}

// Of another kind than the contract's, a field fails the whole answer or is read
// all the same. The doctor says what the SDK does.
func TestOtherKinds(t *testing.T) {
	a := newAccount(t)
	for value, want := range map[any]verdict{7: unreadable, nil: missing} {
		a.changing(func(r *http.Request, answer *httptest.ResponseRecorder) {
			if operationOf(r, answer.Code) == opGetAuthSession {
				edit(answer, func(body map[string]any) { body["data"].(map[string]any)["intent"] = value })
			}
		})
		got := a.diagnosis(t, false)
		c := got.named(t, opGetAuthSession)
		assert.Equal(t, 1, got.bad(), got.table(true))
		assert.Equal(t, want, c.verdicts()["intent"])
	}
}

// The result of a verification is read under no other name.
func TestVerifiedHasOneName(t *testing.T) {
	for _, name := range []string{"Verified", "VERIFIED", "isVerified"} {
		raw, err := json.Marshal(map[string]any{"session_id": "s", "status": "approved", name: true})
		assert.NoError(t, err)
		fields := compare(authenticationResult, raw, reflect.ValueOf(mid.AuthenticationResult{SessionID: "s", Status: "approved"}))
		c := check{Fields: fields}
		assert.Equal(t, missing, c.verdicts()["verified"], name)
		assert.Equal(t, unknown, c.verdicts()[name])
	}
}

func TestCompareWhatIsNoObject(t *testing.T) {
	for _, raw := range []string{"", "null", "[]", `"text"`, "7", "<html>"} {
		fields := compare(authSession, json.RawMessage(raw), reflect.Value{})
		assert.Len(t, fields, 1, raw)
		assert.Equal(t, missing, fields[0].Verdict, raw)
	}
}
