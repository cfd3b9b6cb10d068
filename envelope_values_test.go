package mid_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// Values as encoders of other languages write them.
func TestAnswersWithValuesOfOtherEncoders(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, tt := range map[string]struct {
		body string
		want mid.AuthSession
	}{
		"byte order mark":                  {"\ufeff" + ok(`{"id":"sess_1","status":"pending"}`), mid.AuthSession{}},
		"byte order mark and an odd value": {"\ufeff" + ok(`{"id":"sess_1","status":"pending","metadata":[]}`), mid.AuthSession{Metadata: map[string]string{}}},
		"empty array":                      {ok(`{"id":"sess_1","status":"pending","metadata":[],"created_at":"2026-01-02T03:04:05Z"}`), mid.AuthSession{Metadata: map[string]string{}, CreatedAt: at}},
		"lower-case time":                  {ok(`{"id":"sess_1","status":"pending","created_at":"2026-01-02t03:04:05z"}`), mid.AuthSession{CreatedAt: at}},
		"leap second":                      {ok(`{"id":"sess_1","status":"pending","created_at":"2016-12-31T23:59:60Z"}`), mid.AuthSession{CreatedAt: time.Date(2017, 1, 1, 0, 0, 0, 0, time.UTC)}},
		"long fraction":                    {ok(`{"id":"sess_1","status":"pending","created_at":"2026-01-02T03:04:05.0000000000z"}`), mid.AuthSession{CreatedAt: at}},
		"empty time":                       {ok(`{"id":"sess_1","status":"pending","created_at":"","expires_at":"2026-01-02T03:04:05Z"}`), mid.AuthSession{ExpiresAt: at}},
		"time without a zone":              {ok(`{"id":"sess_1","status":"pending","created_at":"2026-01-02T03:04:05","recipient":"+14155550123"}`), mid.AuthSession{Recipient: "+14155550123"}},
		"time in seconds":                  {ok(`{"id":"sess_1","status":"pending","created_at":1767323045}`), mid.AuthSession{}},
		"time that is none":                {ok(`{"id":"sess_1","created_at":{"date":"2026-01-02"},"completed_at":false,"status":"levitating"}`), mid.AuthSession{Status: "levitating"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var r mid.Response
			tt.want.ID, tt.want.Status = "sess_1", cmp.Or(tt.want.Status, mid.AuthPending)
			s, err := once(t, status(200, tt.body)).Authentication.GetSession(t.Context(), "sess_1", mid.WithResponse(&r))
			require.NoError(t, err)
			require.Equal(t, tt.want, *s)
			require.Equal(t, "req_1", r.RequestID)
			require.Contains(t, tt.body, string(r.Data), "as it came")
			require.NotEmpty(t, r.Data)

			event := mid.Event{Type: mid.EventAuthenticationCompleted, Data: r.Data}
			s, err = event.AuthSession()
			require.NoError(t, err)
			require.Equal(t, tt.want, *s)
		})
	}
}

func TestVerificationsAndDocumentsOfOtherEncoders(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	v, err := once(t, status(200, ok(`{"id":"ver_1","status":"processing","estimated_time":2e1,"confidence":1,"checks":[],"extracted_data":[],"metadata":[],
		"created_at":"2026-01-02t03:04:05z","completed_at":""}`))).Identity.GetVerification(t.Context(), "ver_1")
	require.NoError(t, err)
	one := 1.0
	require.Equal(t, mid.Verification{ID: "ver_1", Status: mid.VerificationProcessing, EstimatedTime: 20 * time.Second, Confidence: &one, CreatedAt: at,
		Metadata: map[string]string{}}, *v)

	for size, want := range map[string]int64{"1.0": 1, "1e3": 1000, "4.096E3": 4096, "9007199254740993.0": 9007199254740993} {
		var d *mid.SigningDocument
		c := once(t, status(201, ok(`{"id":"doc_1","size":`+size+`,"created_at":"2026-01-02 03:04:05Z"}`)))
		d, err = c.Signing.UploadDocument(t.Context(), mid.UploadSigningDocumentParams{File: mid.FileFromBytes("a.pdf", []byte("%PDF"))})
		require.NoError(t, err)
		require.Equal(t, mid.SigningDocument{ID: "doc_1", Size: want, CreatedAt: at}, *d)
	}

	s, err := once(t, status(200, ok(`{"id":"sig_1","status":"pending","metadata":[],"signers":[{"status":"signed","signed_at":"2026-01-02t03:04:05z"},{"signed_at":"later"}]}`))).
		Signing.GetSession(t.Context(), "sig_1")
	require.NoError(t, err)
	require.Equal(t, mid.SigningSession{ID: "sig_1", Status: "pending", Metadata: map[string]string{}, Signers: []mid.Signer{{Status: "signed", SignedAt: at}, {}}}, *s)
}

// A resource is an object: an empty array in its place is no empty resource.
func TestEmptyArrayIsNoResource(t *testing.T) {
	t.Parallel()
	_, err := once(t, status(200, ok(`[]`))).Authentication.GetSession(t.Context(), "sess_1")
	require.ErrorContains(t, err, "its field data is not a JSON object")
	_, err = once(t, status(200, ok(`[]`))).Identity.GetVerification(t.Context(), "ver_1")
	require.Error(t, err)
}

func TestCallDecodesValuesOfOtherEncoders(t *testing.T) {
	t.Parallel()
	var out struct {
		Count int
		At    time.Time
		Tags  map[string]string
		Raw   json.RawMessage
	}
	require.NoError(t, once(t, status(200, "\ufeff"+ok(`{"count":3.0,"at":"2026-01-02t03:04:05z","tags":[],"raw":{"n": 1.0}}`))).
		Call(t.Context(), "GET", "/x", nil, &out))
	require.Equal(t, 3, out.Count)
	require.Equal(t, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), out.At)
	require.Empty(t, out.Tags)
	require.JSONEq(t, `{"n":1.0}`, string(out.Raw))
}

func TestEventsOfOtherEncoders(t *testing.T) {
	t.Parallel()
	hooks := newHooks(t, mid.WebhookConfig{})
	for _, at := range []string{"%d.0", "%de0"} {
		payload := []byte("\ufeff" + `{"id":"evt_1","type":"x","timestamp":` + fmt.Sprintf(at, time.Now().UnixMilli()) + `,"data":{}}`)
		e, err := hooks.Parse(payload, map[string][]string{mid.SignatureHeader: {hooks.Sign(payload)}})
		require.NoError(t, err, at)
		require.Equal(t, "evt_1", e.ID)
		require.WithinDuration(t, time.Now(), e.Timestamp, time.Minute)
	}
}
