package midtest_test

import (
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

func TestFaultsAnswer(t *testing.T) {
	for _, tc := range []struct {
		name   string
		fault  midtest.Fault
		status int
		code   mid.ErrorCode
		retry  int
	}{
		{"status", midtest.Fault{Status: 503}, 503, mid.CodeServiceUnavailable, 0},
		{"odd status", midtest.Fault{Status: 418}, 418, mid.CodeInvalidRequest, 0},
		{"gateway", midtest.Fault{Status: 504}, 504, mid.CodeServiceUnavailable, 0},
		{"code", midtest.Fault{Code: "forbidden"}, 403, mid.CodeForbidden, 0},
		{"unknown code", midtest.Fault{Code: "tea_time"}, 500, "tea_time", 0},
		{"error with status 200", midtest.Fault{Status: 200, Code: "invalid_client"}, 200, mid.CodeInvalidClient, 0},
		{"retry after", midtest.Fault{RetryAfter: 1500 * time.Millisecond}, 429, mid.CodeRateLimitExceeded, 2},
		{"503 with retry after", midtest.Fault{Status: 503, RetryAfter: time.Second}, 503, mid.CodeServiceUnavailable, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := start(t)
			c.srv.Inject(tc.fault)
			r := c.post("/auth/sessions", mid.CreateAuthSessionParams{Intent: mid.IntentLogin})
			assert.Equal(t, tc.status, r.status)
			assert.Equal(t, tc.code, r.Error.Code)
			assert.Equal(t, tc.retry, r.Error.RetryAfter)
			assert.NotEmpty(t, r.Error.Message)
			assert.Equal(t, "998", r.header.Get("X-RateLimit-Remaining"), "a faulted request counts")
			assert.Equal(t, tc.status, c.srv.Requests()[1].Status)
			assert.NotEmpty(t, c.srv.Requests()[1].Body)
			assert.Empty(t, c.srv.AuthSessions(), "it is not carried out")
		})
	}
}

func TestFaultsSendRawBodies(t *testing.T) {
	c := start(t)
	c.srv.Inject(midtest.Fault{Status: 502, Body: "<html>", ContentType: "text/html"})
	c.srv.Inject(midtest.Fault{Body: `{"bare":true}`})
	c.srv.Inject(midtest.Fault{Status: 200})
	c.srv.Inject(midtest.Fault{Status: 204})
	r := c.get("/nothing")
	assert.Equal(t, 502, r.status)
	assert.Equal(t, "<html>", string(r.body))
	assert.Equal(t, "text/html", r.header.Get("Content-Type"))
	r = c.get("/nothing")
	assert.Equal(t, 200, r.status)
	assert.Equal(t, `{"bare":true}`, string(r.body))
	r = c.get("/nothing")
	assert.Equal(t, 200, r.status)
	assert.Empty(t, r.body)
	assert.Equal(t, 204, c.get("/nothing").status)
}

func TestFaultsThatCannotBeMeantAreRefused(t *testing.T) {
	srv := midtest.NewServer(midtest.WithInMemory())
	defer srv.Close()
	const nothing = "the fault does nothing; give it a Status, Code, RetryAfter, Latency, DropConnection, Truncate, Body or ContentType"
	for _, tc := range []struct {
		fault   midtest.Fault
		message string
	}{
		{midtest.Fault{Status: 42}, "Status is 42; give one from 200 to 599, or 0"},
		{midtest.Fault{Status: 600}, "Status is 600; give one from 200 to 599, or 0"},
		{midtest.Fault{Chance: -0.1, Status: 503}, "Chance is -0.1; give one from 0 to 1"},
		{midtest.Fault{Chance: 1.1, Status: 503}, "Chance is 1.1; give one from 0 to 1"},
		{midtest.Fault{Chance: math.NaN(), Status: 503}, "Chance is NaN; give one from 0 to 1"},
		{midtest.Fault{Path: "auth/sessions", Status: 503}, `Path is "auth/sessions"; begin it with a slash, like /auth/sessions, or leave it out for all requests`},
		{midtest.Fault{Path: "/v1", Status: 503}, `Path is "/v1", which no request has; leave it out for all requests`},
		{midtest.Fault{Path: "/auth/sessions/{session}", Status: 503},
			`Path is "/auth/sessions/{session}", which is not a template of the contract; give one, like /auth/sessions/{id}, or a request's own path`},
		{midtest.Fault{Path: "/v1/reports/{id}", Status: 503},
			`Path is "/v1/reports/{id}", which is not a template of the contract; give one, like /auth/sessions/{id}, or a request's own path`},
		{midtest.Fault{Method: "post", Status: 503}, `Method is "post"; give it in upper case: "POST"`},
		{midtest.Fault{}, nothing},
		{midtest.Fault{Method: "POST", Path: "/auth/sessions", Times: -1, Chance: 0.5, RetryAfter: -1, Latency: -1}, nothing},
	} {
		assert.PanicsWithValue(t, "midtest: Inject: "+tc.message, func() { srv.Inject(tc.fault) })
	}
	for _, effect := range []midtest.Fault{
		{Status: 200}, {Code: "tea_time"}, {RetryAfter: 1}, {Latency: 1}, {DropConnection: true}, {Truncate: true}, {Body: "x"}, {ContentType: "text/html"},
	} {
		assert.NotPanics(t, func() { srv.Inject(effect) }, "%+v", effect)
	}
}

func TestPathsOfFaultsMayBeginWithTheVersion(t *testing.T) {
	c := start(t)
	for _, tc := range []struct{ fault, request string }{
		{"/v1/auth/sessions/{id}", "/auth/sessions/sess_1"},
		{"/v1/auth/sessions/sess_1", "/auth/sessions/sess_1"},
		{"/v1/reports", "/reports"},
		{"/v1reports", "/v1reports"}, // is another path
	} {
		c.srv.Inject(midtest.Fault{Path: tc.fault, Status: 503})
		assert.Equal(t, 503, c.get(tc.request).status, tc.fault)
	}
}

func TestFaultsMatch(t *testing.T) {
	c := start(t)
	s := c.session("")
	c.srv.Inject(midtest.Fault{Path: "/auth/sessions/other", Status: 500})
	c.srv.Inject(midtest.Fault{Method: "POST", Path: "/auth/sessions/{id}", Status: 501})
	c.srv.Inject(midtest.Fault{Path: "/auth/sessions/{id}", Status: 502, Times: 2})
	c.srv.Inject(midtest.Fault{Path: "/auth/sessions/" + s.ID, Status: 503, Times: -1})
	var got []int
	for range 5 {
		got = append(got, c.get("/auth/sessions/"+s.ID).status)
	}
	assert.Equal(t, []int{502, 502, 503, 503, 503}, got)
	assert.Equal(t, 500, c.get("/auth/sessions/other").status)
	assert.Equal(t, 404, c.get("/auth/sessions/other").status)
}

func TestDroppedConnection(t *testing.T) {
	c := start(t)
	c.srv.Inject(midtest.Fault{DropConnection: true, Times: -1})
	req := c.request(http.MethodPost, "/auth/sessions", http.NoBody)
	_, err := c.srv.HTTPClient().Do(req) //nolint:bodyclose // there is none
	require.Error(t, err)
	last := c.srv.Requests()[1]
	assert.Equal(t, "/auth/sessions", last.Path)
	assert.Zero(t, last.Status)
}

func TestTruncatedAnswerWasCarriedOut(t *testing.T) {
	c := start(t)
	c.srv.Inject(midtest.Fault{Path: "/auth/sessions", Truncate: true})
	req := c.request(http.MethodPost, "/auth/sessions", nil)
	req.Header.Set("Content-Type", "application/json")
	req.Body = io.NopCloser(strings.NewReader(`{"intent":"login"}`))
	res, err := c.srv.HTTPClient().Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	assert.Equal(t, 201, res.StatusCode)
	assert.Len(t, got, int(res.ContentLength/2))
	assert.Len(t, c.srv.AuthSessions(), 1)
}

func TestLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := start(t, midtest.WithInMemory())
		c.srv.Inject(midtest.Fault{Latency: 3 * time.Second})
		c.srv.Inject(midtest.Fault{Latency: time.Second, Status: 500})
		began := time.Now()
		assert.Equal(t, 404, c.get("/nothing").status)
		assert.Equal(t, 3*time.Second, time.Since(began))
		assert.Equal(t, 500, c.get("/nothing").status)
		assert.Equal(t, 4*time.Second, time.Since(began))
	})
}

func TestCloseBreaksLatencyOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := midtest.NewServer(midtest.WithInMemory())
		srv.Inject(midtest.Fault{Latency: time.Hour})
		began := time.Now()
		go func() {
			time.Sleep(time.Second)
			srv.Close()
		}()
		res, err := srv.HTTPClient().Get(srv.URL)
		if err == nil {
			res.Body.Close()
		}
		assert.Equal(t, time.Second, time.Since(began))
		srv.Close()
	})
}

func TestFaultsByChance(t *testing.T) {
	c := start(t, midtest.WithInMemory(), midtest.WithQuota(1e6, time.Hour))
	c.srv.Inject(midtest.Fault{Times: -1, Chance: 0.5, Status: 503})
	c.srv.Inject(midtest.Fault{Times: -1, Chance: 1, Status: 502})
	seen := map[int]int{}
	for range 200 {
		seen[c.get("/auth/sessions/sess_unknown").status]++
	}
	assert.Len(t, seen, 2)
	assert.Greater(t, seen[503], 40, "one in two")
	assert.Greater(t, seen[502], 40, "the spared")
}
