package mid_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// Whatever a server answers, there is either a result or an error, and the
// error's text is one line that can be logged.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []struct {
		status int
		body   string
	}{
		{200, ok(pendingSession)},
		{200, ok("null")},
		{200, ok(`{"created_at":"yesterday"}`)},
		{204, ""},
		{200, `{"success":false}`},
		{404, problem("not_found", "No such session.", `,"details":[{"field":"id","message":"is unknown"}]`)},
		{429, problem("rate_limit_exceeded", "Slow down.", `,"retry_after":"1e3"`)},
		{401, `{"error":"invalid_client","error_description":"No."}`},
		{502, "<html><body>Bad\x1b[31m gateway"},
		{302, ""},
		{200, `{"data":{"metadata":{"a":[]}},"meta":[],"error":[{}]}`},
	} {
		f.Add(seed.status, seed.body, "req_1")
	}
	f.Fuzz(func(t *testing.T, code int, body, requestID string) {
		if code < 200 || code > 999 {
			t.Skip()
		}
		a := &api{handle: func(*http.Request) (*http.Response, error) { return answer(code, body, "X-Request-Id", requestID), nil }}
		var raw any
		for _, send := range []func(c *mid.Client, opts ...mid.RequestOption) error{
			func(c *mid.Client, opts ...mid.RequestOption) error {
				s, err := c.Authentication.GetSession(t.Context(), "sess_1", opts...)
				require.Equal(t, err == nil, s != nil)
				return err
			},
			func(c *mid.Client, opts ...mid.RequestOption) error {
				return c.Call(t.Context(), "GET", "/x", nil, &raw, opts...)
			},
			func(c *mid.Client, opts ...mid.RequestOption) error {
				return c.Call(t.Context(), "GET", "/x", nil, nil, opts...)
			},
		} {
			var r mid.Response
			// A client of its own: a 429 would pause the others.
			err := send(a.client(t), mid.WithResponse(&r), mid.WithoutRetry())
			requireSane(t, err, code, &r)
		}
	})
}

func requireSane(t *testing.T, err error, code int, r *mid.Response) {
	t.Helper()
	require.Equal(t, code, r.StatusCode)
	require.Equal(t, 1, r.Attempts)
	if err == nil {
		require.Less(t, code, 300)
		return
	}
	e, ok := errors.AsType[*mid.APIError](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, code, e.StatusCode)
	require.GreaterOrEqual(t, e.RetryAfter, time.Duration(0))
	require.LessOrEqual(t, len(e.Body), 64<<10)
	text := err.Error()
	require.Less(t, len(text), 10_000)
	require.False(t, strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }), "%q", text)
}
