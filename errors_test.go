package mid_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/mobid-io/mid-go"
)

var sentinels = []error{
	mid.ErrInvalidRequest, mid.ErrInvalidClient, mid.ErrUnauthorized, mid.ErrForbidden, mid.ErrNotFound,
	mid.ErrConflict, mid.ErrPayloadTooLarge, mid.ErrRateLimited, mid.ErrServer,
	mid.ErrMissingSignature, mid.ErrInvalidSignature, mid.ErrStaleEvent,
}

// once makes a client whose every call has one answer and no retry.
func once(t *testing.T, answer func() (*http.Response, error), opts ...mid.Option) *mid.Client {
	t.Helper()
	a := &api{handle: answers(answer)}
	return a.client(t, append([]mid.Option{mid.WithRetry(mid.RetryPolicy{})}, opts...)...)
}

func TestSentinelsMatchByStatus(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]error{ // the one that matches
		302: nil, 400: mid.ErrInvalidRequest, 401: mid.ErrUnauthorized, 402: nil, 403: mid.ErrForbidden,
		404: mid.ErrNotFound, 405: nil, 409: mid.ErrConflict, 410: nil, 413: mid.ErrPayloadTooLarge,
		415: mid.ErrInvalidRequest, 418: nil, 422: mid.ErrInvalidRequest, 429: mid.ErrRateLimited,
		500: mid.ErrServer, 501: mid.ErrServer, 502: mid.ErrServer, 503: mid.ErrServer, 504: mid.ErrServer,
		520: mid.ErrServer,
	} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			t.Parallel()
			// The code says something else on purpose.
			c := once(t, status(code, problem("invalid_client", "No.", "")))
			_, err := c.Authentication.GetSession(t.Context(), "sess_1")
			for _, sentinel := range sentinels {
				if want != nil && sentinel.Error() == want.Error() {
					require.ErrorIs(t, err, sentinel)
				} else {
					require.NotErrorIs(t, err, sentinel)
				}
			}
			e, ok := errors.AsType[*mid.APIError](err)
			require.True(t, ok)
			require.Equal(t, code, e.StatusCode)
			require.Equal(t, mid.CodeInvalidClient, e.Code)
		})
	}
}

func TestInvalidClientIsTheTokenEndpointsWord(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"enveloped": problem("invalid_client", "Unknown client.", ""),
		"bare":      `{"error":"invalid_client","error_description":"Unknown client."}`,
	} {
		for _, code := range []int{200, 400, 401} {
			t.Run(fmt.Sprint(name, " ", code), func(t *testing.T) {
				t.Parallel()
				a := &api{token: func(int) (*http.Response, error) { return answer(code, body), nil }}
				_, err := a.client(t).Authentication.GetSession(t.Context(), "sess_1")
				require.ErrorIs(t, err, mid.ErrInvalidClient)
				e, ok := errors.AsType[*mid.APIError](err)
				require.True(t, ok)
				require.Equal(t, "/auth/token", e.Path)
				require.Equal(t, "Unknown client.", e.Message)
				require.Contains(t, err.Error(), fmt.Sprintf("mid: POST /auth/token: %d", code))
				require.Contains(t, err.Error(), "(invalid_client): Unknown client.")
				require.Equal(t, 1, a.tokenRequests())
				require.Empty(t, a.sent())
			})
		}
	}
}

func TestInvalidClientOfAnOAuth2Source(t *testing.T) {
	t.Parallel()
	a := &api{}
	c := a.client(t, mid.WithTokenSource(mid.OAuth2TokenSource(brokenSource{&oauth2.RetrieveError{
		Response:         &http.Response{StatusCode: 401},
		Body:             []byte(`{"error":"invalid_client","leak":"private-part"}`),
		ErrorCode:        "invalid_client",
		ErrorDescription: "Unknown client.",
	}})))
	_, err := c.Authentication.GetSession(t.Context(), "sess_1")
	require.ErrorIs(t, err, mid.ErrInvalidClient)
	require.NotContains(t, err.Error(), "private-part")
}

type brokenSource struct{ err error }

func (s brokenSource) Token() (*oauth2.Token, error) { return nil, s.err }

func TestRateLimitErrorWrapsTheServersError(t *testing.T) {
	t.Parallel()
	c := once(t, status(429, problem("rate_limit_exceeded", "Slow down.", `,"retry_after":7`),
		"X-RateLimit-Limit", "60", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "1790000000"))
	_, err := c.Authentication.GetSession(t.Context(), "sess_1")
	err = fmt.Errorf("sign in: %w", err)

	require.ErrorIs(t, err, mid.ErrRateLimited)
	limit, ok := errors.AsType[*mid.RateLimitError](err)
	require.True(t, ok)
	require.Equal(t, 7*time.Second, limit.RetryAfter)
	require.Equal(t, mid.RateLimit{Limit: 60, Reset: time.Unix(1790000000, 0)}, limit.RateLimit)
	e, ok := errors.AsType[*mid.APIError](err)
	require.True(t, ok)
	require.Equal(t, 429, e.StatusCode)
	require.Equal(t, mid.CodeRateLimitExceeded, e.Code)
	require.Equal(t, 7*time.Second, e.RetryAfter)
	require.Equal(t, "sign in: mid: rate limited, try again in 7s: GET /auth/sessions/sess_1: "+
		"429 Too Many Requests (rate_limit_exceeded): Slow down. [request req_2]", err.Error())
}

func TestErrorTexts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  error
		want string
	}{
		{&mid.APIError{StatusCode: 404, Code: mid.CodeNotFound, Message: "No such session.", Method: "GET", Path: "/auth/sessions/x", RequestID: "req_9", Attempts: 1},
			"mid: GET /auth/sessions/x: 404 Not Found (not_found): No such session. [request req_9]"},
		{&mid.APIError{StatusCode: 503, Method: "POST", Path: "/auth/verify", Attempts: 4},
			"mid: POST /auth/verify: 503 Service Unavailable after 4 attempts"},
		{&mid.APIError{StatusCode: 599, Method: "GET", Path: "/x"}, "mid: GET /x: 599"},
		{&mid.APIError{StatusCode: 400, Code: mid.CodeInvalidRequest, Message: "Check the fields.", Method: "POST", Path: "/auth/sessions",
			Details: []mid.FieldError{{Field: "recipient", Message: "is not a mobile number"}, {Field: "intent", Message: "is unknown"}}},
			"mid: POST /auth/sessions: 400 Bad Request (invalid_request): Check the fields: recipient is not a mobile number; intent is unknown"},
		{&mid.RateLimitError{RetryAfter: 90 * time.Second}, "mid: rate limited, try again in 1m30s"},
		{&mid.RateLimitError{RetryAfter: 1500 * time.Microsecond, Err: context.DeadlineExceeded},
			"mid: rate limited, try again in 2ms: the context ends before that: context deadline exceeded"},
		{&mid.ValidationError{Field: "Signers[0].Email", Reason: "is empty"}, "mid: Signers[0].Email is empty"},
	} {
		require.EqualError(t, tt.err, tt.want)
	}
}

// What a server says must not flood a log, forge a line in it or steer the
// terminal that shows it.
func TestErrorTextIsOneBoundedLine(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 1<<20)
	e := &mid.APIError{
		StatusCode: 400, Method: "GET", Path: "/" + long, Code: mid.ErrorCode(long),
		Message:   "first\nsecond\r\n\x1b[31mthird\u202e \u00a0 fourth" + long,
		RequestID: long,
	}
	for range 1000 {
		e.Details = append(e.Details, mid.FieldError{Field: long, Message: long})
	}
	text := e.Error()
	require.Less(t, len(text), 6000)
	require.Contains(t, text, ": first second [31mthird fourthxxx")
	require.Contains(t, text, "; and 990 more")
	require.NotContains(t, text, "\n")
	require.NotContains(t, text, "\x1b")
	require.Contains(t, e.Message, "\n", "the field itself is as the server sent it")
}

func TestErrorsAreFormattedAlikeByEveryVerb(t *testing.T) {
	t.Parallel()
	e := &mid.APIError{
		StatusCode: 404, Method: "GET", Path: "/auth/sessions/x",
		Header: http.Header{"X-Echo": {"ada@example.com"}},
		Body:   []byte("ada@example.com"),
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, v := range []any{e, *e, []error{e}, []mid.APIError{*e}, &mid.RateLimitError{Err: e}, fmt.Errorf("%w", e)} {
			text := fmt.Sprintf(verb, v)
			require.NotContains(t, text, "ada@example.com", "%s of %T", verb, v)
			require.NotContains(t, text, fmt.Sprintf("%x", "ada@"), "%s of %T", verb, v)
			require.NotContains(t, text, "97 100 97 64", "%s of %T", verb, v)
		}
		require.Equal(t, e.Error(), fmt.Sprintf(verb, e))
	}
}

// JSON holds neither the answer's header nor its body, which may be personal
// data, and does hold the rest.
func TestErrorsAsJSONHoldNoAnswer(t *testing.T) {
	t.Parallel()
	e := &mid.APIError{
		StatusCode: 404, RequestID: "req_9", Attempts: 2,
		Header: http.Header{"X-Echo": {"ada@example.com"}},
		Body:   []byte("ada@example.com"),
	}
	for _, v := range []any{e, *e, []error{e}, &mid.RateLimitError{Err: e}} {
		text, err := json.Marshal(v)
		require.NoError(t, err)
		require.Contains(t, string(text), `"StatusCode":404`)
		require.Contains(t, string(text), `"RequestID":"req_9"`)
		for _, hidden := range []string{"Header", "Body", "ada@example.com", base64.StdEncoding.EncodeToString(e.Body)} {
			require.NotContains(t, string(text), hidden, "%T", v)
		}
	}
}

func TestErrorsOfTheServerReadWell(t *testing.T) {
	t.Parallel()
	c := once(t, status(400, problem("invalid_request", "The request is not valid.",
		`,"details":[{"field":"recipient","message":"must be a mobile number"},null,{"field":"callback_url","message":"must be https"}]`)))
	_, err := c.Authentication.CreateSession(t.Context(), mid.CreateAuthSessionParams{Intent: mid.IntentLogin})
	require.EqualError(t, err, "mid: POST /auth/sessions: 400 Bad Request (invalid_request): The request is not valid: "+
		"recipient must be a mobile number; callback_url must be https [request req_2]")
}
