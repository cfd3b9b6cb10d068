package mid_test

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

// expecting answers a verification and the session's look. Its server's clock is
// a day ahead of this machine's.
type expecting struct {
	result  map[string]any
	session map[string]any
	now     time.Time
}

func newExpecting() *expecting {
	now := time.Now().Add(24 * time.Hour).UTC().Truncate(time.Second)
	return &expecting{
		now:    now,
		result: map[string]any{"session_id": "sess_1", "verified": true, "status": "approved", "user_id": "user_ada"},
		session: map[string]any{
			"id": "sess_1", "status": "approved", "intent": "login", "user_id": "user_ada", "recipient": "+14155550123",
			"completed_at": now.Add(-4 * time.Minute).Format(time.RFC3339), "metadata": map[string]any{"nonce": "nonce-1", "shop": "s-1"},
		},
	}
}

func (e *expecting) api() *api {
	return &api{handle: func(r *http.Request) (*http.Response, error) {
		data := e.session
		if strings.HasSuffix(r.URL.Path, "/auth/verify") {
			data = e.result
		}
		encoded, err := json.Marshal(map[string]any{"success": true, "data": data, "meta": map[string]any{"request_id": "req_" + r.Method, "timestamp": e.now.Format(time.RFC3339)}})
		return answer(200, string(encoded)), err
	}}
}

var expected = mid.AuthExpectation{
	Intent: mid.IntentLogin, UserID: "user_ada", Recipient: "+14155550123", Metadata: map[string]string{"nonce": "nonce-1"},
}

func TestVerifyTakesTheExpectedSession(t *testing.T) {
	t.Parallel()
	for name, expect := range map[string]*mid.AuthExpectation{"all": &expected, "nothing": {}, "no expectation": nil} {
		a := newExpecting().api()
		c := a.client(t)
		var r mid.Response
		result, err := c.Authentication.Verify(t.Context(), mid.VerifyAuthenticationParams{SessionID: "sess_1", Expect: expect}, mid.WithResponse(&r), mid.WithHeader("X-A", "b"))
		require.NoError(t, err, name)
		require.True(t, result.Verified)
		require.Equal(t, "req_POST", r.RequestID, "the response is the verification's")
		require.JSONEq(t, `{"session_id":"sess_1"}`, a.sent()[0].Body, "an expectation is not sent")
		if expect == nil {
			require.Len(t, a.sent(), 1)
			continue
		}
		require.Len(t, a.sent(), 2)
		require.Empty(t, a.sent()[1].Header.Get("X-A"), "the options are the verification's")
	}
}

func TestVerifyRefusesAnotherSession(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(e *expecting, expect *mid.AuthExpectation)
		field  string
	}{
		"payment":   {func(e *expecting, _ *mid.AuthExpectation) { e.session["intent"] = "payment" }, "intent"},
		"no intent": {func(e *expecting, _ *mid.AuthExpectation) { delete(e.session, "intent") }, "intent"},
		"another user": {func(e *expecting, _ *mid.AuthExpectation) {
			e.session["user_id"], e.result["user_id"] = "user_eve", "user_eve"
		}, "user id"},
		"two users": {func(e *expecting, x *mid.AuthExpectation) { e.result["user_id"], x.UserID = "user_eve", "" }, "user id"},
		"no user": {func(e *expecting, x *mid.AuthExpectation) {
			delete(e.session, "user_id")
			delete(e.result, "user_id")
			x.UserID = ""
		}, "user id"},
		"another recipient": {func(e *expecting, _ *mid.AuthExpectation) { e.session["recipient"] = "+14155550199" }, "recipient"},
		"no recipient":      {func(e *expecting, _ *mid.AuthExpectation) { delete(e.session, "recipient") }, "recipient"},
		"another nonce":     {func(e *expecting, _ *mid.AuthExpectation) { e.session["metadata"] = map[string]any{"nonce": "nonce-2"} }, "metadata"},
		"no metadata":       {func(e *expecting, _ *mid.AuthExpectation) { delete(e.session, "metadata") }, "metadata"},
		"an empty entry":    {func(_ *expecting, x *mid.AuthExpectation) { x.Metadata = map[string]string{"absent": ""} }, "metadata"},
		"old": {func(e *expecting, _ *mid.AuthExpectation) {
			e.session["completed_at"] = e.now.Add(-301 * time.Second).Format(time.RFC3339)
		}, "time of completion"},
		"older than a minute": {func(_ *expecting, x *mid.AuthExpectation) { x.MaxAge = time.Minute }, "time of completion"},
		"no time":             {func(e *expecting, _ *mid.AuthExpectation) { delete(e.session, "completed_at") }, "time of completion"},
		"no time, any age": {func(e *expecting, x *mid.AuthExpectation) {
			delete(e.session, "completed_at")
			x.MaxAge = math.MaxInt64
		}, "time of completion"},
		"undecided":      {func(e *expecting, _ *mid.AuthExpectation) { e.session["status"] = "scanned" }, "status"},
		"another id":     {func(e *expecting, _ *mid.AuthExpectation) { e.session["id"] = "sess_2" }, "id"},
		"another result": {func(e *expecting, _ *mid.AuthExpectation) { e.result["session_id"] = "sess_2" }, "id"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, expect := newExpecting(), expected
			tt.change(e, &expect)
			result, err := e.api().client(t).Authentication.Verify(t.Context(), mid.VerifyAuthenticationParams{SessionID: "sess_1", Expect: &expect})
			require.ErrorIs(t, err, mid.ErrUnexpectedSession)
			require.EqualError(t, err, "mid: the session is not the expected one: its "+tt.field+" differs")
			require.Nil(t, result)
		})
	}
}

func TestVerifyWithExpectOfAnUnapprovedSession(t *testing.T) {
	t.Parallel()
	e := newExpecting()
	e.result = map[string]any{"session_id": "sess_1", "verified": false, "status": "rejected"}
	a := e.api()
	result, err := a.client(t).Authentication.Verify(t.Context(), mid.VerifyAuthenticationParams{SessionID: "sess_1", Expect: &expected})
	require.NoError(t, err)
	require.False(t, result.Verified)
	require.Len(t, a.sent(), 1, "there is nothing to compare")
}

func TestVerifyFailsWhenTheSessionCannotBeFetched(t *testing.T) {
	t.Parallel()
	a := &api{handle: answers(status(200, ok(`{"session_id":"sess_1","verified":true,"status":"approved"}`)), status(404, problem("not_found", "gone", "")))}
	result, err := a.client(t).Authentication.Verify(t.Context(), mid.VerifyAuthenticationParams{SessionID: "sess_1", Expect: &expected})
	require.ErrorIs(t, err, mid.ErrNotFound)
	require.Nil(t, result)
}

func TestExpectationsThatAreInvalidSendNothing(t *testing.T) {
	t.Parallel()
	a := newExpecting().api()
	for _, expect := range []mid.AuthExpectation{{MaxAge: -1}, {Recipient: "0151 5550123"}} {
		_, err := a.client(t).Authentication.Verify(t.Context(), mid.VerifyAuthenticationParams{SessionID: "sess_1", Expect: &expect})
		requireInvalid(t, err)
	}
	require.Empty(t, a.sent())
}

func TestNoVerbShowsAnExpectation(t *testing.T) {
	t.Parallel()
	for _, v := range []any{expected, &expected, []mid.AuthExpectation{expected}, mid.VerifyAuthenticationParams{SessionID: "sess_1", Expect: &expected}} {
		for _, verb := range verbs {
			requireHides(t, fmt.Sprintf(verb, v), "user_ada", "+14155550123", "nonce-1")
		}
		text, encoded := logged(v)
		requireHides(t, text, "user_ada", "+14155550123", "nonce-1")
		if _, slice := v.([]mid.AuthExpectation); !slice {
			requireHides(t, encoded, "user_ada", "+14155550123", "nonce-1")
		}
	}
}

// Against the fake: a session of another kind was really approved, and is refused.
func TestExpectAgainstTheFake(t *testing.T) {
	t.Parallel()
	srv := midtest.NewServer()
	defer srv.Close()
	c := srv.Client()
	for intent, want := range map[mid.Intent]error{mid.IntentLogin: nil, mid.IntentPayment: mid.ErrUnexpectedSession} {
		session, err := c.Authentication.CreateSession(t.Context(), mid.CreateAuthSessionParams{Intent: intent, Metadata: map[string]string{"nonce": "nonce-1"}})
		require.NoError(t, err)
		require.NoError(t, srv.Approve(session.ID, "user_ada"))
		_, err = c.Authentication.Verify(t.Context(), mid.VerifyAuthenticationParams{
			SessionID: session.ID, Expect: &mid.AuthExpectation{Intent: mid.IntentLogin, Metadata: map[string]string{"nonce": "nonce-1"}},
		})
		require.ErrorIs(t, err, want)
	}
}
