package mid_test

import (
	"encoding/json"
	"reflect"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// wire has every model with every field of the contract: a tag that is wrong
// loses its field on the way through.
var wire = map[string]struct {
	model any
	json  string
}{
	"CreateAuthSessionParams": {new(mid.CreateAuthSessionParams), `{"intent":"login","recipient":"+14155550123","callback_url":"https://shop.example/hook","metadata":{"order":"7"}}`},
	"AuthSession": {new(mid.AuthSession), `{"id":"sess_1","status":"approved","intent":"payment","recipient":"+14155550123","qr_code":"data:image/png;base64,AA==",
		"qr_data":"mid://auth?session=sess_1","user_id":"user_1","method":"face","created_at":"2026-01-02T03:04:05Z","expires_at":"2026-01-02T03:09:05Z",
		"completed_at":"2026-01-02T03:05:06.789Z","metadata":{"order":"7"}}`},
	"VerifyAuthenticationParams": {new(mid.VerifyAuthenticationParams), `{"session_id":"sess_1"}`},
	"AuthenticationResult":       {new(mid.AuthenticationResult), `{"session_id":"sess_1","verified":true,"status":"approved","user_id":"user_1","method":"pin","verified_at":"2026-01-02T03:05:06Z"}`},
	"IdentityDocument": {new(mid.IdentityDocument), `{"id":"doc_1","type":"passport","side":"front","country":"GB","file_name":"front.png","content_type":"image/png",
		"size":9007199254740993,"sha256":"00ff","created_at":"2026-01-02T03:04:05+02:00"}`},
	"StartVerificationParams": {new(mid.StartVerificationParams), `{"document_type":"national_id","country":"DE","document_front_id":"doc_1","document_back_id":"doc_2","selfie_id":"doc_3",
		"callback_url":"https://shop.example/hook","metadata":{"a":"b"}}`},
	"Verification": {new(mid.Verification), `{"id":"ver_1","status":"verified","document_type":"passport","country":"GB","estimated_time":"90s","confidence":0.98,
		"checks":{"document_authenticity":"passed","face_match":"failed","liveness_detection":"pending","data_extraction":"completed"},
		"extracted_data":{"first_name":"Ada","last_name":"Marsh","date_of_birth":"1992-03-14","document_number":"X1","expiry_date":"2031-01-01","nationality":"GB"},
		"rejection_reason":"blurred","created_at":"2026-01-02T03:04:05Z","completed_at":"2026-01-02T03:05:05Z","metadata":{"a":"b"}}`},
	"SigningDocument": {new(mid.SigningDocument), `{"id":"doc_1","name":"Contract","content_type":"application/pdf","size":12,"sha256":"00ff","created_at":"2026-01-02T03:04:05Z"}`},
	"SigningSession": {new(mid.SigningSession), `{"id":"sig_1","status":"completed","document_ids":["doc_1"],"signers":[{"name":"Ada","email":"ada@example.com","status":"signed",
		"sign_url":"https://sign.example/1","signed_at":"2026-01-02T03:04:05Z","ip_address":"192.0.2.1","biometric_verified":true}],"require_biometric":true,
		"created_at":"2026-01-02T03:04:05Z","expires_at":"2026-01-05T03:04:05Z","completed_at":"2026-01-02T03:05:05Z","metadata":{"a":"b"}}`},
}

func fresh(model any) any { return reflect.New(reflect.TypeOf(model).Elem()).Interface() }

func TestModelsCarryEveryFieldOfTheContract(t *testing.T) {
	t.Parallel()
	for name, m := range wire {
		v := fresh(m.model)
		require.NoError(t, json.Unmarshal([]byte(m.json), v), name)
		got, err := json.Marshal(v)
		require.NoError(t, err, name)
		require.JSONEq(t, m.json, string(got), name)
		byValue, err := json.Marshal(reflect.ValueOf(v).Elem().Interface())
		require.NoError(t, err, name)
		require.JSONEq(t, m.json, string(byValue), name)
		requireNoZero(t, reflect.ValueOf(v).Elem(), name)
	}
}

// requireNoZero fails for a field that the JSON did not fill: one that the
// contract does not know.
func requireNoZero(t *testing.T, v reflect.Value, name string) {
	t.Helper()
	switch {
	case v.Kind() == reflect.Struct && v.Type() != reflect.TypeFor[time.Time]():
		for i := range v.NumField() {
			if v.Type().Field(i).Name == "Expect" {
				continue // it is not sent
			}
			requireNoZero(t, v.Field(i), name+"."+v.Type().Field(i).Name)
		}
	case v.Kind() == reflect.Slice:
		require.NotZero(t, v.Len(), name)
		for i := range v.Len() {
			requireNoZero(t, v.Index(i), name)
		}
	default:
		require.False(t, v.IsZero(), "%s is zero", name)
	}
}

var (
	value   = regexp.MustCompile(`:("[^"]*"|[-0-9.]+|true|false|\[[^\[\]]*\]|\{[^{}]*\})`)
	opening = regexp.MustCompile(`\{`)
)

func TestModelsTakeNullsAndWhatTheyDoNotKnow(t *testing.T) {
	t.Parallel()
	for name, m := range wire {
		// Every field of every depth in turn.
		for _, at := range value.FindAllStringIndex(m.json, -1) {
			text := m.json[:at[0]] + ":null" + m.json[at[1]:]
			require.NoError(t, json.Unmarshal([]byte(text), fresh(m.model)), "%s: %s", name, text)
		}
		for _, at := range opening.FindAllStringIndex(m.json, -1) {
			text := m.json[:at[1]] + `"of_next_year":"x",` + m.json[at[1]:]
			require.NoError(t, json.Unmarshal([]byte(text), fresh(m.model)), "%s: %s", name, text)
		}
		for _, text := range []string{"{}", "null", `{"status":"levitating","type":"hologram","intent":"?","method":"","side":"top","document_type":"scroll"}`,
			`{"checks":null,"extracted_data":null,"signers":null,"metadata":null,"document_ids":null}`, `{"signers":[null,{}],"document_ids":[null]}`} {
			require.NoError(t, json.Unmarshal([]byte(text), fresh(m.model)), "%s: %s", name, text)
		}
	}
	var s mid.AuthSession
	require.NoError(t, json.Unmarshal([]byte(`{"status":"levitating"}`), &s))
	require.Equal(t, mid.AuthStatus("levitating"), s.Status, "as it came")
}

// Resources with nothing but what the contract requires say no more.
func TestAbsentFieldsStayAbsent(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		model any
		want  string
	}{
		{mid.CreateAuthSessionParams{Intent: "login"}, `{"intent":"login"}`},
		{mid.AuthSession{}, `{"id":"","status":"","intent":"","qr_code":"","qr_data":"","created_at":"0001-01-01T00:00:00Z","expires_at":"0001-01-01T00:00:00Z"}`},
		{mid.AuthenticationResult{}, `{"session_id":"","verified":false,"status":""}`},
		{mid.StartVerificationParams{}, `{"document_type":"","country":"","document_front_id":"","selfie_id":""}`},
		{mid.Verification{}, `{"id":"","status":"","document_type":"","country":"","created_at":"0001-01-01T00:00:00Z"}`},
		{mid.IdentityDocument{}, `{"id":"","type":"","file_name":"","content_type":"","size":0,"sha256":"","created_at":"0001-01-01T00:00:00Z"}`},
		{mid.CreateSigningSessionParams{DocumentIDs: []string{"d"}, Signers: []mid.SignerParams{}}, `{"document_ids":["d"],"signers":[]}`},
		{mid.CreateSigningSessionParams{
			DocumentIDs: []string{"doc_1", "doc_2"}, Signers: []mid.SignerParams{{Name: "Ada", Email: "ada@example.com"}}, CallbackURL: "https://shop.example/hook",
			ExpiresIn: 48 * time.Hour, RequireBiometric: new(bool), Metadata: map[string]string{"a": "b"},
		}, `{"document_ids":["doc_1","doc_2"],"signers":[{"name":"Ada","email":"ada@example.com"}],
			"callback_url":"https://shop.example/hook","expires_in":48,"require_biometric":false,"metadata":{"a":"b"}}`},
		{mid.Signer{}, `{"name":"","email":"","status":"","sign_url":""}`},
	} {
		got, err := json.Marshal(tt.model)
		require.NoError(t, err)
		require.JSONEq(t, tt.want, string(got), "%T", tt.model)
	}
}

func TestExpiresInIsSentInHours(t *testing.T) {
	t.Parallel()
	a := &api{handle: answers(status(201, ok(`{"id":"sig_1","session_id":"sig_1","status":"pending"}`)))}
	c := a.client(t)
	yes, no := true, false
	for _, tt := range []struct {
		expires   time.Duration
		biometric *bool
		want      string
	}{
		{0, nil, ``},
		{time.Hour, &yes, `,"expires_in":1,"require_biometric":true`},
		{30 * 24 * time.Hour, &no, `,"expires_in":720,"require_biometric":false`},
	} {
		_, err := c.Signing.CreateSession(t.Context(), mid.CreateSigningSessionParams{
			DocumentIDs: []string{"doc_1"}, Signers: []mid.SignerParams{{Name: "Ada", Email: "ada@example.com"}},
			ExpiresIn: tt.expires, RequireBiometric: tt.biometric,
		})
		require.NoError(t, err)
		require.JSONEq(t, `{"document_ids":["doc_1"],"signers":[{"name":"Ada","email":"ada@example.com"}]`+tt.want+`}`, last(a.sent()).Body)
	}
}

func TestEstimatedTime(t *testing.T) {
	t.Parallel()
	const year = 365 * 24 * time.Hour
	for text, want := range map[string]time.Duration{
		`"30s"`: 30 * time.Second, `"30"`: 30 * time.Second, `30`: 30 * time.Second, `1.5`: 1500 * time.Millisecond,
		`"2 minutes"`: 2 * time.Minute, `"1.5 h"`: 90 * time.Minute, `"1m30s"`: 90 * time.Second, `"250ms"`: 250 * time.Millisecond,
		`"1 Minute"`: time.Minute, `"5 MIN."`: 5 * time.Minute, `" 3 hrs "`: 3 * time.Hour, `"45 sec"`: 45 * time.Second, `"2HOURS"`: 2 * time.Hour,
		`null`: 0, `""`: 0, `"soon"`: 0, `"-5s"`: 0, `"-5 minutes"`: 0, `-30`: 0, `0`: 0, `"0s"`: 0, `"s"`: 0, `"5 fortnights"`: 0, `"2 to 3 minutes"`: 0,
		`true`: 0, `{}`: 0, `[30]`: 0, `{"s":30}`: 0, `"NaN"`: 0, `"inf"`: 0, `"Infinity seconds"`: 0, `"١٠ s"`: 0,
		`1e300`: year, `"1e400"`: year, `"2000000h"`: year, `"99999999999999h"`: year, `"1e400 parsecs"`: 0, `"-1e400"`: 0,
	} {
		var v mid.Verification
		require.NoError(t, json.Unmarshal([]byte(`{"estimated_time":`+text+`}`), &v), text)
		require.Equal(t, want, v.EstimatedTime, text)
		encoded, err := json.Marshal(v)
		require.NoError(t, err)
		var again mid.Verification
		require.NoError(t, json.Unmarshal(encoded, &again))
		require.Equal(t, v.EstimatedTime, again.EstimatedTime, "%s", encoded)
	}
}

func TestFinal(t *testing.T) {
	t.Parallel()
	type final interface{ Final() bool }
	for status, want := range map[final]bool{
		mid.AuthPending: false, mid.AuthScanned: false, mid.AuthApproved: true, mid.AuthRejected: true, mid.AuthExpired: true,
		mid.AuthStatus(""): false, mid.AuthStatus("completed"): false, mid.AuthStatus("APPROVED"): false,
		mid.VerificationProcessing: false, mid.VerificationVerified: true, mid.VerificationRejected: true, mid.VerificationExpired: true,
		mid.VerificationStatus(""): false, mid.VerificationStatus("approved"): false,
		mid.SigningPending: false, mid.SigningCompleted: true, mid.SigningDeclined: true, mid.SigningExpired: true,
		mid.SigningStatus(""): false, mid.SigningStatus("signed"): false,
	} {
		require.Equal(t, want, status.Final(), "%T %v", status, status)
	}
}

// The constants are the contract's words.
func TestValueSets(t *testing.T) {
	t.Parallel()
	for want, got := range map[string]string{
		"login": string(mid.IntentLogin), "payment": string(mid.IntentPayment), "consent": string(mid.IntentConsent),
		"pending": string(mid.AuthPending), "scanned": string(mid.AuthScanned), "approved": string(mid.AuthApproved),
		"rejected": string(mid.AuthRejected), "expired": string(mid.AuthExpired),
		"processing": string(mid.VerificationProcessing), "verified": string(mid.VerificationVerified),
		"completed": string(mid.SigningCompleted), "declined": string(mid.SigningDeclined),
		"passport": string(mid.DocumentPassport), "national_id": string(mid.DocumentNationalID),
		"drivers_license": string(mid.DocumentDriversLicense), "selfie": string(mid.DocumentSelfie),
		"front": string(mid.SideFront), "back": string(mid.SideBack),
		"awaiting_signature": string(mid.SignerAwaiting), "signed": string(mid.SignerSigned),
		"authentication.completed": string(mid.EventAuthenticationCompleted),
		"verification.completed":   string(mid.EventVerificationCompleted),
		"signing.completed":        string(mid.EventSigningCompleted),
		"https://api.mobid.io/v1":  mid.ProductionURL, "https://sandbox.api.mobid.io/v1": mid.SandboxURL,
	} {
		require.Equal(t, want, got)
	}
	require.Equal(t, mid.VerificationRejected, mid.VerificationStatus(mid.AuthRejected))
	require.Equal(t, mid.VerificationExpired, mid.VerificationStatus(mid.AuthExpired))
	require.Equal(t, mid.SigningPending, mid.SigningStatus(mid.AuthPending))
	require.Equal(t, mid.SigningExpired, mid.SigningStatus(mid.AuthExpired))
	require.Equal(t, mid.SignerDeclined, mid.SignerStatus(mid.SigningDeclined))
}
