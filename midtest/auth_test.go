package midtest_test

import (
	"bytes"
	"encoding/base64"
	"image/color"
	"image/png"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"rsc.io/qr"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

func (c *caller) status(id string) mid.AuthStatus {
	c.t.Helper()
	return data[mid.AuthSession](c.t, c.get("/auth/sessions/"+id)).Status
}

func TestAuthSessionIsApproved(t *testing.T) {
	c := start(t)
	r := c.post("/auth/sessions", mid.CreateAuthSessionParams{
		Intent:    mid.IntentPayment,
		Recipient: "+14155550123",
		Metadata:  map[string]string{"order": "7"},
	})
	require.Equal(t, 201, r.status)
	created := data[mid.AuthSession](t, r)
	assert.Regexp(t, "^sess_[0-9a-z]+$", created.ID)
	assert.Equal(t, mid.AuthPending, created.Status)
	assert.Equal(t, mid.IntentPayment, created.Intent)
	assert.Equal(t, "+14155550123", created.Recipient)
	assert.Equal(t, "mid://auth?session="+created.ID, created.QRData)
	assert.Equal(t, 5*time.Minute, created.ExpiresAt.Sub(created.CreatedAt))
	assert.Equal(t, map[string]string{"order": "7"}, created.Metadata)
	assert.NotContains(t, string(r.body), "completed_at")

	require.NoError(t, c.srv.Scan(created.ID))
	assert.Equal(t, mid.AuthScanned, c.status(created.ID))
	result := data[mid.AuthenticationResult](t, c.post("/auth/verify", mid.VerifyAuthenticationParams{SessionID: created.ID}))
	assert.Equal(t, mid.AuthenticationResult{SessionID: created.ID, Status: mid.AuthScanned}, result)

	require.NoError(t, c.srv.Approve(created.ID, "user_ada"))
	got := data[mid.AuthSession](t, c.get("/auth/sessions/"+created.ID))
	assert.Equal(t, mid.AuthApproved, got.Status)
	assert.Equal(t, "user_ada", got.UserID)
	assert.Equal(t, "face", got.Method)
	assert.False(t, got.CompletedAt.IsZero())
	result = data[mid.AuthenticationResult](t, c.post("/auth/verify", mid.VerifyAuthenticationParams{SessionID: created.ID}))
	assert.True(t, result.Verified)
	assert.Equal(t, "user_ada", result.UserID)
	assert.False(t, result.VerifiedAt.IsZero())
	assert.Equal(t, []mid.AuthSession{got}, c.srv.AuthSessions())
}

func TestOnlyAnApprovedSessionIsVerified(t *testing.T) {
	c := start(t)
	for status, end := range map[mid.AuthStatus]func(id string) error{
		mid.AuthPending:  func(string) error { return nil },
		mid.AuthRejected: c.srv.Reject,
		mid.AuthExpired:  c.srv.Expire,
	} {
		id := c.session("").ID
		require.NoError(t, end(id))
		r := c.post("/auth/verify", mid.VerifyAuthenticationParams{SessionID: id})
		assert.JSONEq(t, `{"session_id":"`+id+`","verified":false,"status":"`+string(status)+`"}`, string(r.Data))
	}
}

func TestQRCodeHoldsTheQRData(t *testing.T) {
	session := start(t).session("")
	encoded, ok := strings.CutPrefix(session.QRCode, "data:image/png;base64,")
	require.True(t, ok)
	raw, err := base64.StdEncoding.DecodeString(encoded)
	require.NoError(t, err)
	img, err := png.Decode(bytes.NewReader(raw))
	require.NoError(t, err)

	want, err := qr.Encode(session.QRData, qr.M)
	require.NoError(t, err)
	scale, border := want.Scale, 4 // modules of white around the code
	require.Equal(t, (want.Size+2*border)*scale, img.Bounds().Dx())
	for y := range want.Size {
		for x := range want.Size {
			black := color.GrayModel.Convert(img.At((x+border)*scale, (y+border)*scale)).(color.Gray).Y == 0
			require.Equal(t, want.Black(x, y), black, "module %d, %d", x, y)
		}
	}
}

func TestAuthSessionExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := start(t, midtest.WithInMemory())
		session := c.session("")
		time.Sleep(5*time.Minute - 1)
		assert.Equal(t, mid.AuthPending, c.status(session.ID))
		time.Sleep(1)
		got := data[mid.AuthSession](t, c.get("/auth/sessions/"+session.ID))
		assert.Equal(t, mid.AuthExpired, got.Status)
		assert.Equal(t, got.ExpiresAt, got.CompletedAt)
		assert.EqualError(t, c.srv.Approve(session.ID, ""),
			"midtest: session "+session.ID+" is already expired; create another one to drive")
	})
}

func TestInvalidAuthRequests(t *testing.T) {
	c := start(t)
	for _, tc := range []struct {
		name, path, body string
		fields           []string
	}{
		{"malformed", "/auth/sessions", `{"intent":`, nil},
		{"no object", "/auth/sessions", `[]`, nil},
		{"empty", "/auth/sessions", `{}`, []string{"intent"}},
		{"null", "/auth/sessions", `null`, nil},
		{"wrong type", "/auth/sessions", `{"intent":7}`, []string{"intent"}},
		{"wrong type inside", "/auth/sessions", `{"intent":"login","metadata":{"a":7}}`, []string{"metadata"}},
		{"wrong values", "/auth/sessions", `{"intent":"dance","recipient":"0172 secret","callback_url":"/secret"}`, []string{"intent", "recipient", "callback_url"}},
		{"no session", "/auth/verify", `{}`, []string{"session_id"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c.t = t
			r := c.post(tc.path, tc.body)
			assert.Equal(t, 400, r.status)
			assert.Equal(t, mid.CodeInvalidRequest, r.Error.Code)
			assert.Equal(t, tc.fields, fields(r))
			assert.NotContains(t, string(r.body), "secret")
		})
	}
	c.t = t
	assert.Equal(t, 404, c.post("/auth/verify", mid.VerifyAuthenticationParams{SessionID: "sess_x"}).status)
	assert.Equal(t, 413, c.post("/auth/verify", strings.Repeat(" ", 1<<20+1)).status)
}
