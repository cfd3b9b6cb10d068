package mid_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

// Everything that the typed methods do works with a server of another spelling.
func TestMethodsInEverySpelling(t *testing.T) {
	t.Parallel()
	for _, names := range []mid.FieldNames{mid.SnakeCase, mid.CamelCase} {
		for _, envelope := range []midtest.Envelope{midtest.EnvelopeSuccess, midtest.EnvelopeCode} {
			t.Run(fmt.Sprint(names, envelope), func(t *testing.T) {
				t.Parallel()
				srv := midtest.NewServer(midtest.WithFieldNames(names), midtest.WithEnvelope(envelope))
				defer srv.Close()
				c := srv.Client(mid.WithFieldNames(names), mid.WithRetry(mid.RetryPolicy{}))
				signIn(t, srv, c)
				verify(t, srv, c)
				sign(t, srv, c)

				_, err := c.Authentication.GetSession(t.Context(), "sess_unknown")
				require.ErrorIs(t, err, mid.ErrNotFound)
				e := requireAPIError(t, err)
				require.Equal(t, mid.CodeNotFound, e.Code)
				require.NotEmpty(t, e.Message)
				require.NotEmpty(t, e.RequestID)
				srv.Inject(midtest.Fault{Path: "/auth/sessions", Times: 1, Status: http.StatusTooManyRequests, RetryAfter: 7 * time.Second})
				_, err = c.Authentication.CreateSession(t.Context(), mid.CreateAuthSessionParams{Intent: mid.IntentLogin})
				require.ErrorIs(t, err, mid.ErrRateLimited)
				require.Equal(t, 7*time.Second, requireAPIError(t, err).RetryAfter)
			})
		}
	}
}

var camelMetadata = map[string]string{"order_id": "7", "customerName": "x"}

func signIn(t *testing.T, srv *midtest.Server, c *mid.Client) {
	t.Helper()
	ctx := t.Context()
	created, err := c.Authentication.CreateSession(ctx, mid.CreateAuthSessionParams{Intent: mid.IntentLogin, Recipient: "+14155550123", Metadata: camelMetadata})
	require.NoError(t, err)
	require.NotEmpty(t, created.QRData)
	require.NotZero(t, created.ExpiresAt)
	require.NoError(t, srv.Approve(created.ID, "user_ada"))
	s, err := c.Authentication.WaitForSession(ctx, created.ID, mid.PollOptions{})
	require.NoError(t, err)
	require.Equal(t, mid.AuthApproved, s.Status)
	require.Equal(t, camelMetadata, s.Metadata)
	require.Equal(t, "user_ada", s.UserID)
	var r mid.Response
	result, err := c.Authentication.Verify(ctx, mid.VerifyAuthenticationParams{SessionID: created.ID, Expect: &mid.AuthExpectation{Intent: mid.IntentLogin}}, mid.WithResponse(&r))
	require.NoError(t, err)
	require.True(t, result.Verified)
	require.Equal(t, created.ID, result.SessionID)
	require.Contains(t, string(r.Data), `"verified":true`)
}

func verify(t *testing.T, srv *midtest.Server, c *mid.Client) {
	t.Helper()
	ctx := t.Context()
	upload := func(kind mid.DocumentType) string {
		doc, err := c.Identity.UploadDocument(ctx, mid.UploadIdentityDocumentParams{File: mid.FileFromBytes("a.png", []byte("\x89PNG\r\n\x1a\n")), Type: kind})
		require.NoError(t, err)
		require.Equal(t, "a.png", doc.FileName)
		return doc.ID
	}
	v, err := c.Identity.StartVerification(ctx, mid.StartVerificationParams{
		DocumentType: mid.DocumentPassport, Country: "GB", DocumentFrontID: upload(mid.DocumentPassport), SelfieID: upload(mid.DocumentSelfie), Metadata: camelMetadata,
	})
	require.NoError(t, err)
	require.NotZero(t, v.EstimatedTime)
	require.NoError(t, srv.CompleteVerification(v.ID, midtest.Outcome{}))
	v, err = c.Identity.GetVerification(ctx, v.ID)
	require.NoError(t, err)
	require.Equal(t, mid.VerificationVerified, v.Status)
	require.NotEmpty(t, v.ExtractedData.FirstName)
	require.Equal(t, mid.CheckPassed, v.Checks.FaceMatch)
	require.Equal(t, camelMetadata, v.Metadata)
}

func sign(t *testing.T, srv *midtest.Server, c *mid.Client) {
	t.Helper()
	ctx := t.Context()
	doc, err := c.Signing.UploadDocument(ctx, mid.UploadSigningDocumentParams{File: mid.FileFromBytes("a.pdf", []byte("%PDF-1.7")), Name: "Lease"})
	require.NoError(t, err)
	require.Len(t, doc.SHA256, 64)
	session, err := c.Signing.CreateSession(ctx, mid.CreateSigningSessionParams{
		DocumentIDs: []string{doc.ID}, Signers: []mid.SignerParams{{Name: "Ada Marsh", Email: "ada@example.com"}}, ExpiresIn: 2 * time.Hour, Metadata: camelMetadata,
	})
	require.NoError(t, err)
	require.NotEmpty(t, session.Signers[0].SignURL)
	require.NoError(t, srv.Sign(session.ID, "ada@example.com"))
	session, err = c.Signing.GetSession(ctx, session.ID)
	require.NoError(t, err)
	require.Equal(t, mid.SigningCompleted, session.Status)
	require.NotZero(t, session.Signers[0].SignedAt)
	require.Equal(t, camelMetadata, session.Metadata)
}

func requireAPIError(t *testing.T, err error) *mid.APIError {
	t.Helper()
	var e *mid.APIError
	require.ErrorAs(t, err, &e)
	return e
}

func TestNamesThatAreSent(t *testing.T) {
	t.Parallel()
	a := &api{handle: answers(status(200, ok(`{"id":"x","session_id":"x","status":"pending"}`)))}
	c := a.client(t, mid.WithFieldNames(mid.CamelCase))
	_, err := c.Signing.CreateSession(t.Context(), mid.CreateSigningSessionParams{
		DocumentIDs: []string{"doc_1"}, Signers: []mid.SignerParams{{Name: "Ada", Email: "ada@example.com"}}, ExpiresIn: time.Hour, Metadata: map[string]string{"order_id": "a_b"},
	})
	require.NoError(t, err)
	require.JSONEq(t, `{"documentIds":["doc_1"],"signers":[{"name":"Ada","email":"ada@example.com"}],"expiresIn":1,"metadata":{"order_id":"a_b"}}`, last(a.sent()).Body)
	require.NoError(t, c.Call(t.Context(), "POST", "/x", map[string]string{"as_it": "is"}, nil))
	require.JSONEq(t, `{"as_it":"is"}`, last(a.sent()).Body)
	_, err = mid.NewClient(testID, testSecret, mid.WithFieldNames(7))
	requireInvalid(t, err)
}

// An answer without what it must have is no empty result.
func TestAnswersThatLackSomething(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		data, lacks string
		send        func(ctx context.Context, c *mid.Client, opts ...mid.RequestOption) error
	}{
		{`{"status":"pending"}`, "id", getSession},
		{`{"id":"","status":"pending"}`, "id", getSession},
		{`{"id":"sess_1"}`, "status", getSession},
		{`{"id":"sess_1","status":null}`, "status", getSession},
		{`{"verified":true,"status":"approved"}`, "session_id", verifySession},
		{`{"session_id":"sess_1","verified":true}`, "status", verifySession},
		{`{"id":"ver_1","state":"verified"}`, "status", getVerification},
		{`{"documents":1}`, "id", func(ctx context.Context, c *mid.Client, opts ...mid.RequestOption) error {
			_, err := c.Signing.UploadDocument(ctx, mid.UploadSigningDocumentParams{File: mid.FileFromBytes("a.pdf", []byte("%PDF"))}, opts...)
			return err
		}},
	} {
		var r mid.Response
		err := tt.send(t.Context(), once(t, status(200, ok(tt.data))), mid.WithResponse(&r))
		require.ErrorContains(t, err, ": 200 OK: the answer has no "+tt.lacks+" [request req_1]", tt.data)
		require.JSONEq(t, tt.data, string(r.Data), "it keeps what came")
	}
}

func getSession(ctx context.Context, c *mid.Client, opts ...mid.RequestOption) error {
	_, err := c.Authentication.GetSession(ctx, "sess_1", opts...)
	return err
}

func verifySession(ctx context.Context, c *mid.Client, opts ...mid.RequestOption) error {
	_, err := c.Authentication.Verify(ctx, mid.VerifyAuthenticationParams{SessionID: "sess_1"}, opts...)
	return err
}

func getVerification(ctx context.Context, c *mid.Client, opts ...mid.RequestOption) error {
	_, err := c.Identity.GetVerification(ctx, "ver_1", opts...)
	return err
}

func TestSpellingsOfASession(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	want := mid.AuthSession{ID: "sess_1", Status: mid.AuthApproved, UserID: "u", CreatedAt: at, Metadata: map[string]string{"orderId": "1", "order_id": "2"}}
	const rest = `"userId":"u","createdAt":"2026-01-02T03:04:05Z","metadata":{"orderId":"1","order_id":"2"}`
	for _, body := range []string{
		ok(`{"sessionId":"sess_1","status":"approved",` + rest + `}`),
		ok(`{"session_id":"sess_1","status":"approved",` + rest + `}`),
		"\ufeff" + ok(`{"sessionId":"sess_1","status":"approved",`+rest+`}`),
		ok(`{"id":"sess_1","sessionId":"other","status":"APPROVED",` + rest + `}`),
		ok(`{"sessionId":"sess_1","status":"approved","user_id":"u","userId":"other","created_at":"2026-01-02T03:04:05Z","metadata":{"orderId":"1","order_id":"2"}}`),
		`{"error":false,"code":200,"message":"OK","data":{"sessionId":"sess_1","status":"approved",` + rest + `}}`,
		`{"error":false,"code":"ok","message":"OK","data":{"id":"sess_1","status":"approved","user_id":"u","created_at":"2026-01-02T03:04:05Z","metadata":{"orderId":"1","order_id":"2"}}}`,
	} {
		s, err := once(t, status(200, body)).Authentication.GetSession(t.Context(), "sess_1")
		require.NoError(t, err, body)
		require.Equal(t, want, *s, body)
	}
}

// A person is signed in on this field, so nothing else is taken for it.
func TestVerifiedIsReadUnderNoOtherName(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Verified", "VERIFIED", "isVerified", "is_verified", "verifiedStatus"} {
		result, err := once(t, status(200, ok(`{"sessionId":"sess_1","status":"approved","`+name+`":true}`))).Authentication.
			Verify(t.Context(), mid.VerifyAuthenticationParams{SessionID: "sess_1"})
		require.NoError(t, err, name)
		require.False(t, result.Verified, name)
	}
	for _, verified := range []string{
		`"verified":false,"Verified":true`, `"Verified":true,"verified":false`, `"VERIFIED":true,"verified":null`, `"verified":[],"Verified":true`,
	} {
		result, err := once(t, status(200, ok(`{"session_id":"sess_1","status":"pending",`+verified+`}`))).Authentication.
			Verify(t.Context(), mid.VerifyAuthenticationParams{SessionID: "sess_1"})
		require.False(t, err == nil && result.Verified, verified)
	}
}

// Of two names that fold to the same, one is read, and always the same one.
func TestNamesThatFoldToTheSame(t *testing.T) {
	t.Parallel()
	for range 50 {
		s, err := once(t, status(200, ok(`{"sessionId":"sess_1","status":"approved","userId":"a","userID":"b"}`))).Authentication.GetSession(t.Context(), "sess_1")
		require.NoError(t, err)
		require.Equal(t, "b", s.UserID)
	}
}

// Each level is encoded anew, so what is nested deeper than anything that MID
// sends is not folded. Else this answer would take minutes.
func TestDeepAnswersTakeLittleTime(t *testing.T) {
	t.Parallel()
	const levels = 9000
	deep := strings.Repeat(`[`, levels) + `"` + strings.Repeat("x", 100<<10) + `"` + strings.Repeat(`]`, levels)
	start := time.Now()
	s, err := once(t, status(200, ok(`{"sessionId":"sess_1","status":"pending","more":`+deep+`}`))).Authentication.GetSession(t.Context(), "sess_1")
	require.NoError(t, err)
	require.Equal(t, "sess_1", s.ID)
	require.Less(t, time.Since(start), 20*time.Second)
}

func TestErrorsOfTheOtherEnvelope(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"error":true,"code":"not_found","message":"No such session."}`:              "404 Not Found (not_found): No such session.",
		`{"error":true,"code":404,"message":"No such session."}`:                      "404 Not Found (404): No such session.",
		`{"code":"not_found","message":"No such session.","data":null}`:               "404 Not Found (not_found): No such session.",
		`{"success":false,"message":"No such session."}`:                              "404 Not Found: No such session.",
		`{"error":{"code":"not_found","message":"No such session."},"message":"Not"}`: "404 Not Found (not_found): No such session.",
	} {
		err := getSession(t.Context(), once(t, status(404, body)))
		require.ErrorIs(t, err, mid.ErrNotFound)
		require.ErrorContains(t, err, want, body)
	}
	for _, body := range []string{
		`{"error":true,"code":"conflict","message":"Busy.","data":{"id":"sess_1","status":"pending"}}`,
		`{"error":true,"code":"conflict","message":"Busy."}`,
	} {
		err := getSession(t.Context(), once(t, status(200, body)))
		require.ErrorContains(t, err, "200 OK (conflict): Busy.", "an error that was sent with status 200")
	}
	for _, body := range []string{`{"error":true}`, `{"error":true,"data":{"id":"sess_1","status":"pending"}}`} {
		require.ErrorContains(t, getSession(t.Context(), once(t, status(200, body))), "the request failed, but not why")
	}
}

func TestCallsDataIsLeftAsItCame(t *testing.T) {
	t.Parallel()
	var out map[string]any
	c := once(t, status(200, `{"error":false,"code":200,"message":"OK","data":{"sessionId":"x","STATUS":"UP"}}`))
	require.NoError(t, c.Call(t.Context(), "GET", "/health", nil, &out))
	require.Equal(t, map[string]any{"sessionId": "x", "STATUS": "UP"}, out)
}

func TestEventsOfTheOtherShape(t *testing.T) {
	t.Parallel()
	hooks, err := mid.NewWebhookService(mid.WebhookConfig{Secrets: []string{testSecret}})
	require.NoError(t, err)
	now := time.Now().Truncate(time.Second)
	for name, tt := range map[string]struct {
		body, id string
		kind     mid.EventType
	}{
		"session":           {`{"sessionId":"sess_1","status":"APPROVED","timestamp":%d,"data":{"userId":"u"}}`, "sess_1:approved", "session.status"},
		"in snake case":     {`{"session_id":"sess_2","status":"approved","timestamp":%d,"data":null}`, "sess_2:approved", "session.status"},
		"verification":      {`{"verificationId":"ver_1","status":"verified","timestamp":%d}`, "ver_1:verified", "verification.status"},
		"signature request": {`{"signatureRequestId":"sig_1","status":"completed","timestamp":%d,"data":{}}`, "sig_1:completed", "signature_request.status"},
	} {
		payload := fmt.Sprintf(tt.body, now.UnixMilli())
		e, err := hooks.Parse([]byte(payload), http.Header{mid.SignatureHeader: {hooks.Sign([]byte(payload))}})
		require.NoError(t, err, name)
		require.Equal(t, tt.id, e.ID, "nothing of the time of delivery is in it")
		require.Equal(t, tt.kind, e.Type)
		require.True(t, now.Equal(e.Timestamp))
		require.JSONEq(t, payload, string(e.Data))

		var reached []string
		handlers := mid.EventHandlers{
			AuthenticationCompleted: func(context.Context, *mid.Event, *mid.AuthSession) error {
				reached = append(reached, "auth")
				return nil
			},
			VerificationCompleted: func(context.Context, *mid.Event, *mid.Verification) error {
				reached = append(reached, "verification")
				return nil
			},
			SigningCompleted: func(context.Context, *mid.Event, *mid.SigningSession) error {
				reached = append(reached, "signing")
				return nil
			},
			Other: func(_ context.Context, e *mid.Event) error { reached = append(reached, string(e.Type)); return nil },
		}
		reply := hooks.Handle(t.Context(), []byte(payload), http.Header{mid.SignatureHeader: {hooks.Sign([]byte(payload))}}, handlers)
		require.Equal(t, http.StatusNoContent, reply.Status, reply.Reason)
		require.Equal(t, []string{string(tt.kind)}, reached)
	}
	payload := fmt.Sprintf(`{"sessionId":"sess_1","status":"approved","timestamp":%d,"data":{}}`, now.UnixMilli())
	e, err := hooks.Parse([]byte(payload), http.Header{mid.SignatureHeader: {hooks.Sign([]byte(payload))}})
	require.NoError(t, err)
	s, err := e.AuthSession()
	require.NoError(t, err)
	require.Equal(t, []string{"sess_1", "approved"}, []string{s.ID, string(s.Status)})
}

// An event of the contract's shape that lacks its id or its type is not taken for
// one of the other shape.
func TestEventsOfNeitherShape(t *testing.T) {
	t.Parallel()
	hooks := newHooks(t, mid.WebhookConfig{})
	for _, names := range []string{`"type":"moon.landed"`, `"id":"evt_1"`} {
		payload := fmt.Appendf(nil, `{%s,"session_id":"sess_1","status":"approved","timestamp":%d}`, names, time.Now().UnixMilli())
		_, err := hooks.Parse(payload, hookHeader(payload))
		require.EqualError(t, err, "mid: webhook event has no id or no type")
	}
}

func TestTimestampsOfEvents(t *testing.T) {
	t.Parallel()
	hooks, err := mid.NewWebhookService(mid.WebhookConfig{Secrets: []string{testSecret}})
	require.NoError(t, err)
	now := time.Now().Truncate(time.Second)
	parse := func(timestamp string) (*mid.Event, error) {
		payload := []byte(`{"id":"evt_1","type":"signing.completed","timestamp":` + timestamp + `,"data":{"signatureRequestId":"sig_1","status":"completed","metadata":{"orderId":"1"}}}`)
		return hooks.Parse(payload, http.Header{mid.SignatureHeader: {hooks.Sign(payload)}})
	}
	for _, timestamp := range []string{
		fmt.Sprint(now.UnixMilli()), fmt.Sprint(now.Unix()), fmt.Sprint(now.UnixMilli(), ".0"), `"` + fmt.Sprint(now.UnixMilli()) + `"`,
		`"` + now.UTC().Format(time.RFC3339) + `"`, `"` + strings.ToLower(now.UTC().Format(time.RFC3339)) + `"`,
	} {
		e, err := parse(strings.ReplaceAll(timestamp, " ", ""))
		require.NoError(t, err, timestamp)
		require.True(t, now.Equal(e.Timestamp), timestamp)
		require.Equal(t, "evt_1", e.ID)
		s, err := e.SigningSession()
		require.NoError(t, err)
		require.Equal(t, "sig_1", s.ID)
		require.Equal(t, map[string]string{"orderId": "1"}, s.Metadata)
	}
	for _, timestamp := range []string{`null`, `0`, `""`, `"yesterday"`, `-5`, `true`} {
		_, err := parse(timestamp)
		require.ErrorIs(t, err, mid.ErrStaleEvent, timestamp)
	}
}

// An answer in the contract's spelling decodes the same with names folded.
func FuzzSpellings(f *testing.F) {
	f.Add("sess_1", "approved", "user_1", "order_id", "orderId")
	f.Add("1", "SCANNED", "", "metadata", "session_id")
	f.Fuzz(func(t *testing.T, id, statusText, user, key, value string) {
		want := mid.AuthSession{ID: id, Status: mid.AuthStatus(statusText), UserID: user, Metadata: map[string]string{key: value}, CreatedAt: time.Unix(1, 0).UTC()}
		data, err := json.Marshal(want)
		require.NoError(t, err)
		strict := new(mid.AuthSession)
		require.NoError(t, json.Unmarshal(data, strict))
		if text := string(strict.Status); id == "" || text == "" || strings.ToUpper(text) == text && strings.ToLower(text) != text {
			return
		}
		c := once(t, status(200, `{"success":true,"data":`+string(data)+`,"meta":{}}`))
		got, err := c.Authentication.GetSession(t.Context(), "x")
		require.NoError(t, err)
		require.True(t, reflect.DeepEqual(strict, got), "%s", data)
		// Without what makes it lack nothing, it is folded, and says the same.
		folded := once(t, status(200, `{"success":true,"data":`+strings.Replace(string(data), `{"id":`, `{"sessionId":`, 1)+`,"meta":{}}`))
		got, err = folded.Authentication.GetSession(t.Context(), "x")
		require.NoError(t, err)
		require.True(t, reflect.DeepEqual(strict, got), "%s", data)
	})
}
