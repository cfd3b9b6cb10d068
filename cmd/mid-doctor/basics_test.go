package main

import (
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

func TestUnreachable(t *testing.T) {
	a := newAccount(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close()) // so that nothing listens there
	t.Setenv("MID_BASE_URL", "http://"+l.Addr().String()+"/v1")
	got := a.diagnosis(t, false)
	assert.Equal(t, 1, got.bad(), got.table(false))
	assert.Contains(t, got.named(t, checkReach).Text, "connection was refused")
	assert.Equal(t, notAsked, got.named(t, opCreateAuthSession).Verdict)
	assert.Nil(t, got.Options, "nothing is known")
	assert.NotContains(t, got.table(false), l.Addr().String())
}

func TestTokens(t *testing.T) {
	tests := map[string]struct {
		spoil   func(t *testing.T, a *account)
		verdict verdict
		text    string
	}{
		"a wrong secret": {func(t *testing.T, _ *account) { t.Setenv("MID_CLIENT_SECRET", "wrong-secret-4711") },
			failed, "MID_CLIENT_ID or MID_CLIENT_SECRET is wrong"},
		"no /v1": {func(t *testing.T, a *account) { t.Setenv("MID_BASE_URL", a.URL[:len(a.URL)-len("/v1")]) },
			failed, "does MID_BASE_URL end in /v1?"},
		"a failing server": {func(_ *testing.T, a *account) {
			a.Inject(midtest.Fault{Path: "/auth/token", Times: -1, Status: http.StatusNotImplemented})
		}, failed, "501 Not Implemented"},
		"a web page": {func(_ *testing.T, a *account) {
			a.Inject(midtest.Fault{Path: "/auth/token", Times: -1, Status: http.StatusOK, Body: "<html>Welcome to 4711</html>", ContentType: "text/html"})
		}, unreadable, "is a web page"},
		"no token": {func(_ *testing.T, a *account) {
			a.Inject(midtest.Fault{Path: "/auth/token", Times: -1, Status: http.StatusOK, Body: `{"success":true,"data":{"token":"tok-4711"}}`, ContentType: "application/json"})
		}, unreadable, "no access_token"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a := newAccount(t)
			test.spoil(t, a)
			got := a.diagnosis(t, false)
			token := got.named(t, checkToken)
			assert.Equal(t, test.verdict, token.Verdict)
			assert.Contains(t, token.Text, test.text)
			assert.Equal(t, asContract, got.named(t, checkReach).Verdict)
			assert.Equal(t, notAsked, got.named(t, opVerifyAuth).Verdict)
			assert.NotContains(t, got.table(true)+got.report()+got.asJSON(), "4711")
		})
	}
}

// A token without an envelope, as of any OAuth 2.0 server, is read.
func TestBareToken(t *testing.T) {
	a := newAccount(t)
	a.changing(func(r *http.Request, answer *httptest.ResponseRecorder) {
		if operationOf(r, answer.Code) == checkToken {
			edit(answer, func(body map[string]any) {
				maps.Copy(body, body["data"].(map[string]any))
				for _, name := range []string{"success", "data", "meta"} {
					delete(body, name)
				}
			})
		}
	})
	got := a.diagnosis(t, false)
	token := got.named(t, checkToken)
	assert.Zero(t, got.bad(), got.table(true))
	assert.Equal(t, otherSpelling, token.Verdict)
	assert.Contains(t, token.Envelope, "RFC 6749")
}

func TestClock(t *testing.T) {
	tests := map[string]struct {
		off     time.Duration // of the server
		verdict verdict
		text    string
	}{
		"right":   {0, asContract, "as the server's"},
		"slow":    {2 * time.Minute, asContract, "behind the server"},
		"an hour": {-time.Hour, failed, "ahead of the server; webhooks refuse"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a := newAccount(t)
			a.changing(func(_ *http.Request, answer *httptest.ResponseRecorder) {
				answer.Header().Set("Date", time.Now().Add(test.off).UTC().Format(http.TimeFormat))
			})
			got := a.diagnosis(t, false)
			c := got.named(t, checkClock)
			assert.Equal(t, test.verdict, c.Verdict)
			assert.Contains(t, c.Text, test.text)
			assert.Equal(t, asContract, got.named(t, opVerifyAuth).Verdict)
		})
	}
	assert.Equal(t, missing, clock(exchange{}).Verdict)
}

func TestLimits(t *testing.T) {
	a := newAccount(t)
	a.changing(func(_ *http.Request, answer *httptest.ResponseRecorder) {
		for _, name := range limitHeaders {
			answer.Header().Del(name)
		}
	})
	got := a.diagnosis(t, false)
	c := got.named(t, checkLimits)
	assert.Equal(t, 1, got.bad(), got.table(true))
	assert.Equal(t, missing, c.Verdict)
	assert.Contains(t, c.Text, "no headers")

	for _, name := range limitHeaders {
		a.changing(func(_ *http.Request, answer *httptest.ResponseRecorder) { answer.Header().Del(name) })
		got := a.diagnosis(t, false)
		c := got.named(t, checkLimits)
		assert.Equal(t, 1, got.bad(), got.table(true))
		assert.True(t, c.Verdict.bad(), name)
		assert.Equal(t, missing, c.verdicts()[name])
	}
}

// The plan is known by its rate, or by its burst.
func TestPlanOption(t *testing.T) {
	for _, p := range plans {
		want := "mid.WithPlan(mid." + p.name + ")"
		assert.Equal(t, want, planOption(p.plan.RequestsPerMinute))
		assert.Equal(t, want, planOption(p.plan.Burst))
	}
	assert.Empty(t, planOption(77))
	a := newAccount(t, midtest.WithPlan(mid.PlanStarter))
	assert.Equal(t, []string{"mid.WithPlan(mid.PlanStarter)"}, a.diagnosis(t, false).Options)
}

func TestTLS(t *testing.T) {
	a := newAccount(t)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, a.URL+"/auth/token", http.StatusTemporaryRedirect)
	}))
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshake that is to fail
	server.StartTLS()
	defer server.Close()
	t.Setenv("MID_BASE_URL", server.URL+"/v1")

	d := newDoctor(mid.WithHTTPClient(server.Client()))
	d.examine(t.Context(), false)
	assert.Equal(t, "TLS 1.3, HTTP/2.0", d.named(t, checkReach).Text)

	d = newDoctor() // which does not trust the server
	d.examine(t.Context(), false)
	assert.Contains(t, d.named(t, checkReach).Text, "certificate is not trusted")
}
