package mid_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// Answers as servers, gateways and proxies really send them, and what comes of
// each for a caller who has never seen the SDK.
func TestAnswersThatAreNoResult(t *testing.T) {
	t.Parallel()
	const prefix = "mid: GET /auth/sessions/sess_1: "
	html := []string{"Content-Type", "text/html", "X-Request-Id", "req_h"}
	for name, tt := range map[string]struct {
		code   int
		body   string
		header []string
		want   string
	}{
		"proxy page": {502, "<html><head><title>502 Bad Gateway</title></head>\r\n<body><center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center></body></html>\r\n", html,
			"502 Bad Gateway: 502 Bad Gateway 502 Bad Gateway nginx [request req_h]"},
		"proxy text":      {503, "upstream connect error\n", nil, "503 Service Unavailable: upstream connect error"},
		"proxy nothing":   {504, "", nil, "504 Gateway Timeout"},
		"gateway JSON":    {403, `{"message":"Forbidden"}`, nil, `403 Forbidden: Forbidden`},
		"binary":          {500, "\x1f\x8b\x00\xff\xfe", nil, "500 Internal Server Error"},
		"cut error":       {500, `{"success":false,"error":{"code":"internal_error"`, nil, `500 Internal Server Error: {"success":false,"error":{"code":"internal_error"`},
		"error null":      {500, `{"error":null}`, nil, `500 Internal Server Error: {"error":null}`},
		"bare RFC 6749":   {400, `{"error":"invalid_request","error_description":"It lacks something."}`, nil, "400 Bad Request (invalid_request): It lacks something."},
		"bare code alone": {400, `{"error":"invalid_request"}`, nil, "400 Bad Request (invalid_request)"},
		"odd code": {400, `{"error":{"code":7,"message":"Seven.","details":"none"},"meta":{"request_id":"req_m"}}`, html,
			"400 Bad Request: Seven. [request req_m]"},

		"error with 200": {200, problem("not_found", "No such session.", ""), nil, "200 OK (not_found): No such session. [request req_2]"},
		"error with 201": {201, `{"error":{"code":"conflict"}}`, nil, "201 Created (conflict)"},
		"no success, no reason": {200, `{"success":false,"data":{"recipient":"+14155550123"}}`, html,
			"200 OK: the answer says that the request failed, but not why [request req_h]"},
		"empty":      {200, "", html, "200 OK: the answer is empty [request req_h]"},
		"blank":      {200, " \n", html, "200 OK: the answer is empty [request req_h]"},
		"204":        {204, "", html, "204 No Content: the answer is empty [request req_h]"},
		"login page": {200, "<html>+14155550123</html>", html, "200 OK: the answer is a web page, not JSON; check the base URL, or a proxy on the way [request req_h]"},
		"cut": {200, `{"success":true,"data":{"recipient":"+14155550123"`, html,
			"200 OK: the answer is not what was expected: it is not JSON, or only its first 49 bytes are [request req_h]"},
		"array":             {200, `["+14155550123"]`, html, "200 OK: the answer is not what was expected: it is not a JSON object [request req_h]"},
		"string":            {200, `"+14155550123"`, html, "200 OK: the answer is not what was expected: it is not a JSON object [request req_h]"},
		"data of a kind":    {200, ok(`"+14155550123"`), nil, "200 OK: the answer is not what was expected: its field data is not a JSON object [request req_1]"},
		"field of a kind":   {200, ok(`{"recipient":14155550123}`), nil, "200 OK: the answer is not what was expected: its field data.recipient is not a JSON string [request req_1]"},
		"metadata number":   {200, ok(`{"metadata":{"ada@example.com":14155550123}}`), nil, "200 OK: the answer is not what was expected: its field data.metadata is not a JSON string [request req_1]"},
		"nothing in it":     {200, `{}`, html, "200 OK: the answer has no data [request req_h]"},
		"success alone":     {200, `{"success":true}`, html, "200 OK: the answer has no data [request req_h]"},
		"null":              {200, `null`, html, "200 OK: the answer has no data [request req_h]"},
		"data null":         {200, ok(`null`), html, "200 OK: the answer has no data [request req_1]"},
		"redirect":          {302, "", []string{"Location", "https://evil.example/"}, "302 Found: the server redirects, which the SDK does not follow; check the base URL"},
		"redirect nowhere":  {304, "", nil, "304 Not Modified"},
		"informational 1xx": {199, "", nil, "199"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := once(t, status(tt.code, tt.body, tt.header...))
			var r mid.Response
			s, err := c.Authentication.GetSession(t.Context(), "sess_1", mid.WithResponse(&r))
			require.Nil(t, s)
			require.EqualError(t, err, prefix+tt.want)
			e, ok := errors.AsType[*mid.APIError](err)
			require.True(t, ok)
			require.Equal(t, tt.code, e.StatusCode)
			require.Equal(t, tt.code, r.StatusCode)
			require.Equal(t, e.RequestID, r.RequestID)
			require.Equal(t, 1, r.Attempts)
			require.NotContains(t, err.Error(), "4155550123", "an answer's values")
		})
	}
}

func TestAnswersThatAreAResult(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"plain":         ok(pendingSession),
		"no envelope's": `{"data":` + pendingSession + `}`,
		"null success":  `{"success":null,"error":null,"meta":null,"data":` + pendingSession + `}`,
		"null meta":     `{"success":true,"data":` + pendingSession + `,"meta":{"request_id":null,"timestamp":null}}`,
		"odd meta":      `{"success":true,"data":` + pendingSession + `,"meta":{"request_id":7,"timestamp":1790000000}}`,
		"empty error":   `{"success":true,"error":{},"data":` + pendingSession + `}`,
		"unknown":       `{"success":true,"links":[1],"data":` + pendingSession + `,"meta":{"region":"eu"}}`,
		"spaces":        "\n " + ok(pendingSession) + "\n",
	} {
		for _, code := range []int{200, 201, 202, 299} {
			s, err := once(t, status(code, body)).Authentication.GetSession(t.Context(), "sess_1")
			require.NoError(t, err, name)
			require.Equal(t, "sess_1", s.ID, name)
			require.Equal(t, mid.AuthPending, s.Status, name)
		}
	}
}

func TestResponseIsFilled(t *testing.T) {
	t.Parallel()
	header := []string{"X-RateLimit-Limit", "60", "X-RateLimit-Remaining", "59", "X-RateLimit-Reset", "1790000000", "X-Extra", "yes", "X-Request-Id", "req_h"}
	quota := mid.RateLimit{Limit: 60, Remaining: 59, Reset: time.Unix(1790000000, 0)}
	const data = `{"id": "sess_1",  "status":"levitating","later":[1, 2]}`
	const meta = `"meta":{"request_id":"req_m","timestamp":"2026-01-02T03:04:05.5Z"}`
	for name, tt := range map[string]struct {
		code       int
		body, data string
		failed     bool
	}{
		"success":       {200, `{"success":true,"data":` + data + `,` + meta + `}`, data, false},
		"error":         {404, `{"success":false,"error":{"code":"not_found"},` + meta + `}`, "", true},
		"error data":    {409, `{"success":false,"error":{"code":"conflict"},"data":` + data + `,` + meta + `}`, data, true},
		"error 200":     {200, `{"success":false,"data":null,"error":{"code":"conflict"},` + meta + `}`, "", true},
		"not decodable": {200, `{"success":true,"data":"nothing like it",` + meta + `}`, `"nothing like it"`, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := once(t, status(tt.code, tt.body, header...))
			r := mid.Response{Data: []byte("of an earlier call"), Attempts: 9}
			_, err := c.Authentication.GetSession(t.Context(), "sess_1", mid.WithResponse(&r))
			require.Equal(t, tt.failed, err != nil)
			require.Equal(t, tt.code, r.StatusCode)
			require.Equal(t, tt.data, string(r.Data), "byte for byte")
			require.Equal(t, "req_m", r.RequestID)
			require.Equal(t, time.Date(2026, 1, 2, 3, 4, 5, 5e8, time.UTC), r.Timestamp)
			require.Equal(t, quota, r.RateLimit)
			require.Equal(t, "yes", r.Header.Get("X-Extra"))
			require.Equal(t, 1, r.Attempts)
		})
	}
}

func TestResponseWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	a := &api{handle: answers(failed(io.ErrUnexpectedEOF))}
	c := a.client(t, mid.WithRetry(mid.RetryPolicy{MaxRetries: 2, MinWait: time.Millisecond, MaxWait: time.Millisecond}))
	r := mid.Response{StatusCode: 200, RequestID: "of an earlier call"}
	_, err := c.Authentication.GetSession(t.Context(), "sess_1", mid.WithResponse(&r))
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.EqualError(t, err, "mid: GET /auth/sessions/sess_1: unexpected EOF after 3 attempts")
	require.Equal(t, mid.Response{Attempts: 3}, r)
}

func TestLastAnswerIsInTheErrorWhenNoOtherComes(t *testing.T) {
	t.Parallel()
	a := &api{handle: answers(status(503, problem("service_unavailable", "Down.", "")), failed(io.ErrUnexpectedEOF))}
	c := a.client(t, mid.WithRetry(mid.RetryPolicy{MaxRetries: 1, MinWait: time.Millisecond, MaxWait: time.Millisecond}))
	_, err := c.Authentication.GetSession(t.Context(), "sess_1")
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.ErrorIs(t, err, mid.ErrServer)
	e, ok := errors.AsType[*mid.APIError](err)
	require.True(t, ok)
	require.Equal(t, "req_2", e.RequestID)
	require.Contains(t, err.Error(), "unexpected EOF after 2 attempts; the last answer: GET /auth/sessions/sess_1: 503 Service Unavailable (service_unavailable): Down. [request req_2]")
}

func TestAnswersAreBounded(t *testing.T) {
	t.Parallel()
	endless := func() (*http.Response, error) {
		r := answer(200, "")
		r.Body, r.ContentLength = io.NopCloser(zeros{}), -1
		return r, nil
	}
	a := &api{handle: answers(endless)}
	_, err := a.client(t).Authentication.GetSession(t.Context(), "sess_1")
	require.EqualError(t, err, "mid: GET /auth/sessions/sess_1: the answer is larger than 10 MiB")
	require.Len(t, a.sent(), 1, "another attempt would not mend it")

	_, err = once(t, status(500, strings.Repeat("é<", 1<<20))).Authentication.GetSession(t.Context(), "sess_1")
	e, ok := errors.AsType[*mid.APIError](err)
	require.True(t, ok)
	require.Len(t, e.Body, 64<<10)
	require.Less(t, len(err.Error()), 1000)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// A redirect would carry the token to another host.
func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	var strangers atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { strangers.Add(1) }))
	defer other.Close()
	for _, code := range []int{301, 302, 303, 307, 308} {
		for _, own := range []*http.Client{{}, {Timeout: time.Minute}, {CheckRedirect: func(*http.Request, []*http.Request) error { return nil }}} {
			var seen atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/v1/auth/token" {
					_, _ = io.WriteString(w, ok(`{"access_token":"token-of-the-test","token_type":"Bearer","expires_in":3600}`))
					return
				}
				seen.Add(1)
				http.Redirect(w, r, other.URL+"/stolen", code)
			}))
			c, err := mid.NewClient(testID, testSecret, mid.WithBaseURL(server.URL+"/v1"), mid.WithHTTPClient(own))
			require.NoError(t, err)
			_, err = c.Authentication.CreateSession(t.Context(), mid.CreateAuthSessionParams{Intent: mid.IntentLogin})
			server.Close()
			require.ErrorContains(t, err, "the server redirects, which the SDK does not follow; check the base URL")
			e, ok := errors.AsType[*mid.APIError](err)
			require.True(t, ok)
			require.Equal(t, code, e.StatusCode)
			require.Equal(t, other.URL+"/stolen", e.Header.Get("Location"), "to mend the base URL with")
			require.EqualValues(t, 1, seen.Load())
		}
	}
	require.Zero(t, strangers.Load(), "requests that the redirects led to")
}

// The token request's secret is worth even more.
func TestRedirectsOfTheTokenRequestAreNotFollowed(t *testing.T) {
	t.Parallel()
	a := &api{token: func(int) (*http.Response, error) { return answer(307, "", "Location", "https://evil.example/"), nil }}
	_, err := a.client(t).Authentication.GetSession(t.Context(), "sess_1")
	require.EqualError(t, err, "mid: POST /auth/token: 307 Temporary Redirect: the server redirects, which the SDK does not follow; check the base URL")
	require.Equal(t, 1, a.tokenRequests())
}
