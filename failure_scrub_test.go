package mid_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/mobid-io/mid-go"
)

// A secret and a token that read differently in JSON, HTML and URLs.
const (
	oddSecret = `wJalr/XUtn+FEMI="K7M<DENG>&bPx`
	oddToken  = `eyJhb/GciO+iJSU=.zI1"Ni<Is>&In`
)

func oddAPI(handle func(r *http.Request) (*http.Response, error)) *api {
	return &api{handle: handle, token: func(int) (*http.Response, error) {
		encoded, _ := json.Marshal(oddToken)
		return answer(200, ok(`{"access_token":`+string(encoded)+`,"token_type":"Bearer","expires_in":3600}`)), nil
	}}
}

func oddClient(t *testing.T, a http.RoundTripper, opts ...mid.Option) *mid.Client {
	t.Helper()
	c, err := mid.NewClient(testID, oddSecret, append([]mid.Option{
		mid.WithHTTPClient(&http.Client{Transport: a}), mid.WithRetry(mid.RetryPolicy{}),
	}, opts...)...)
	require.NoError(t, err)
	return c
}

// spellings are the forms in which an echo could spell a secret.
func spellings(secret string) []string {
	plain := new(bytes.Buffer)
	encoder := json.NewEncoder(plain)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(secret)
	escaped, _ := json.Marshal(secret)
	return []string{
		secret, strings.Trim(plain.String(), "\"\n"), strings.Trim(string(escaped), `"`),
		strings.ReplaceAll(strings.Trim(string(escaped), `"`), "/", `\/`),
		url.QueryEscape(secret), url.PathEscape(secret), html.EscapeString(secret),
		strings.Trim(fmt.Sprintf("%q", secret), `"`),
	}
}

func requireClean(t *testing.T, text string) {
	t.Helper()
	for _, secret := range []string{oddSecret, oddToken} {
		for _, spelling := range append(spellings(secret), secret[:8], secret[len(secret)-8:]) {
			require.NotContains(t, text, spelling)
		}
	}
}

// everything is all that an error tells, the fields of an APIError included.
func everything(err error) string {
	text := fmt.Sprintf("%v\n%+v\n%#v\n", err, err, err)
	if e, ok := errors.AsType[*mid.APIError](err); ok {
		text += fmt.Sprintln(e.Code, e.Message, e.Details, e.RequestID, e.Path, e.Header) + string(e.Body)
	}
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(next) {
		text += fmt.Sprintf("%v\n%+v\n%#v\n", next, next, next)
	}
	return text
}

func TestErrorsAreScrubbedOfEchoes(t *testing.T) {
	t.Parallel()
	for _, secret := range []string{oddSecret, oddToken} {
		inJSON, _ := json.Marshal(secret)
		in := string(inJSON)
		inText := strings.Trim(in, `"`)
		cases := map[string]func() (*http.Response, error){
			"message":    status(400, `{"error":{"code":"invalid_request","message":`+in+`}}`),
			"code":       status(400, `{"error":{"code":`+in+`,"message":"No."}}`),
			"bare code":  status(400, `{"error":`+in+`}`),
			"bare text":  status(400, `{"error":"invalid_request","error_description":`+in+`}`),
			"detail":     status(400, `{"error":{"code":"invalid_request","details":[{"field":`+in+`,"message":`+in+`}]}}`),
			"request id": status(400, `{"error":{"code":"invalid_request"},"meta":{"request_id":`+in+`}}`),
			"header":     status(500, "", "X-Echo", "Bearer "+secret, "X-Request-Id", secret),
			"429":        status(429, `{"error":{"code":"rate_limit_exceeded","message":`+in+`}}`),
			"unreadable": status(200, `<html>`+secret, "X-Request-Id", secret),
			"data":       status(200, ok(`{"id":`+in+`,"recipient":7}`)),
			"in a dump":  status(200, `{"success":false,"data":"`+inText+`"}`),
			"unseen":     status(502, "Bearer "+secret[:5]+"\u200b"+secret[5:]),
			"UTF-16":     status(502, strings.Join(strings.Split(secret, ""), "\x00")),
			"redirect":   status(302, "", "Location", "https://other.example/?t="+url.QueryEscape(secret)),
		}
		for i, spelling := range spellings(secret) {
			cases[fmt.Sprint("page ", i)] = status(502, "Authorization: Bearer "+spelling)
			cases[fmt.Sprint("cut ", i)] = status(502, strings.Repeat("x", 64<<10-len(spelling)/2)+spelling)
		}
		for name, answer := range cases {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				_, err := oddClient(t, oddAPI(answers(answer))).Authentication.GetSession(t.Context(), "sess_1")
				require.Error(t, err)
				requireClean(t, everything(err))
			})
		}
	}
}

func TestErrorsOfTheTokenRequestAreScrubbed(t *testing.T) {
	t.Parallel()
	for i, spelling := range spellings(oddSecret) {
		a := &api{token: func(int) (*http.Response, error) { return answer(502, "You sent: "+spelling), nil }}
		_, err := oddClient(t, a).Authentication.GetSession(t.Context(), "sess_1")
		requireClean(t, everything(err))
		require.Contains(t, err.Error(), "You sent: ", i)
	}
	a := &api{token: func(int) (*http.Response, error) {
		return answer(200, `{"access_token":"`+strings.Repeat("hidden", 9)+`\n","token_type":"Bearer"}`, "X-Request-Id", "req_t"), nil
	}}
	_, err := oddClient(t, a).Authentication.GetSession(t.Context(), "sess_1")
	require.ErrorContains(t, err, "mid: POST /auth/token: 200 OK: ")
	require.ErrorContains(t, err, "[request req_t]")
	require.NotContains(t, everything(err), "hidden")
}

// Both tokens of a call that was replayed are secret, one of which may be the
// beginning of the other.
func TestErrorsAreScrubbedOfARefusedToken(t *testing.T) {
	t.Parallel()
	for _, tokens := range [][2]string{{"abcdefgh", "abcdefgh-ijkl"}, {"abcdefgh-ijkl", "abcdefgh"}} {
		a := &api{
			handle: answers(status(401, ""), status(500, tokens[0]+" "+tokens[1])),
			token: func(n int) (*http.Response, error) {
				return answer(200, ok(`{"access_token":"`+tokens[n-1]+`","token_type":"Bearer","expires_in":3600}`)), nil
			},
		}
		_, err := a.client(t, mid.WithRetry(mid.RetryPolicy{})).Authentication.GetSession(t.Context(), "sess_1")
		require.ErrorContains(t, err, ": [REDACTED] [REDACTED]")
		require.NotContains(t, everything(err), "ijkl")
	}
}

// garbage answers the token request, and everything else with what the request
// said, in place of a status line or of a header.
func garbage(t *testing.T, format string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				r, err := http.ReadRequest(bufio.NewReader(conn))
				if err != nil {
					return
				}
				body, _ := io.ReadAll(r.Body)
				if strings.HasSuffix(r.URL.Path, "/auth/token") && !strings.Contains(format, "%[2]s") {
					encoded, _ := json.Marshal(oddToken)
					text := ok(`{"access_token":` + string(encoded) + `,"token_type":"Bearer","expires_in":3600}`)
					fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", len(text), text)
					return
				}
				fmt.Fprintf(conn, format, r.Header.Get("Authorization"), body)
			}()
		}
	}()
	return "http://" + l.Addr().String() + "/v1"
}

func TestErrorsAndLogsOfGarbageAreScrubbed(t *testing.T) {
	t.Parallel()
	for format, echoed := range map[string]bool{
		"you said %[1]s\r\n\r\n":                                                      false,
		"HTTP/1.1 %[1]s\r\n\r\n":                                                      false,
		"HTTP/1.1 200 OK\r\n%[1]s\r\n\r\n":                                            true,
		"HTTP/1.1 200 OK\r\nContent-Length: %[1]s\r\n\r\n":                            true,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: %[1]s\r\n\r\n":                         true,
		"HTTP/1.1 502 %[1]s\r\nConnection: close\r\nX-Request-Id: %[1]s\r\n\r\n%[1]s": true,
		"%[2]s\r\n\r\n": true,
		"HTTP/1.1 400 Bad\r\nConnection: close\r\nX-Request-Id: %[2]s\r\n\r\n%[2]s": true,
		"HTTP/1.1 200 OK\r\nContent-Length: %[2]s\r\n\r\n":                          true,
	} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			logger := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
			c, err := mid.NewClient(testID, oddSecret, mid.WithBaseURL(garbage(t, format)), mid.WithLogger(logger),
				mid.WithRetry(mid.RetryPolicy{MaxRetries: 1, MinWait: time.Millisecond, MaxWait: time.Millisecond}))
			require.NoError(t, err)
			err = c.Call(t.Context(), "POST", "/x?q=hidden-query", map[string]string{"a": "hidden-body"}, nil)
			require.Error(t, err)
			requireClean(t, everything(err))
			requireClean(t, out.String())
			require.NotContains(t, everything(err)+out.String(), "hidden-")
			require.Contains(t, out.String(), "level=")
			if echoed {
				require.Contains(t, err.Error()+out.String(), "[REDACTED]", "what this test is about")
			}
		})
	}
}

func TestLogLines(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	a := oddAPI(answers(
		failed(errors.New("line one\nline two \x1b[31m"+strings.Repeat("x", 5000))),
		status(503, "", "X-Request-Id", "req_a"),
		status(200, ok(pendingSession), "X-Request-Id", "req_b"),
		status(404, ""), status(501, ""), status(520, ""),
	))
	c := oddClient(t, a, mid.WithLogger(slog.New(slog.NewJSONHandler(&out, nil))),
		mid.WithRetry(mid.RetryPolicy{MaxRetries: 2, MinWait: time.Millisecond, MaxWait: time.Millisecond}))
	require.NoError(t, c.Call(t.Context(), "POST", "/auth/sessions?q=hidden", map[string]string{"recipient": "+14155550123"}, nil))
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.Len(t, lines, 4)
	var got []map[string]any
	for _, line := range lines {
		var m map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &m))
		require.Equal(t, "POST", m["method"])
		require.Less(t, len(line), 1000)
		got = append(got, m)
	}
	require.Equal(t, "/auth/token", got[0]["path"])
	require.Equal(t, "/auth/sessions", got[1]["path"])
	require.Equal(t, []any{"INFO", "WARN", "WARN", "INFO"}, []any{got[0]["level"], got[1]["level"], got[2]["level"], got[3]["level"]})
	require.Contains(t, got[1]["error"], "line one line two [31mxxx")
	require.Equal(t, []any{503., "req_a", 2.}, []any{got[2]["status"], got[2]["request_id"], got[2]["attempt"]})
	require.Equal(t, []any{200., "req_b", 3.}, []any{got[3]["status"], got[3]["request_id"], got[3]["attempt"]})
	requireClean(t, out.String())
	for _, hidden := range []string{"hidden", "4155550123", "Bearer", testID} {
		require.NotContains(t, out.String(), hidden)
	}
	for _, level := range []string{"INFO", "WARN", "WARN"} {
		out.Reset()
		require.Error(t, c.Call(t.Context(), "GET", "/x", nil, nil))
		require.Contains(t, out.String(), `"level":"`+level+`"`)
	}
}

// A test may have a secret that is a word of the SDK's own. Programs can act on
// the error all the same.
func TestErrorsOfAnEverydaySecretAreStillErrors(t *testing.T) {
	t.Parallel()
	for _, secret := range []string{"secret", "id", "client", "invalid", "auth", "token", "mid", "POST", "0", "e"} {
		a := &api{handle: answers(status(404, problem("not_found", "no such session", ""))), token: func(n int) (*http.Response, error) {
			if n == 1 {
				return answer(401, problem("invalid_client", "the client secret is wrong", "")), nil
			}
			return tokenAnswer(n, time.Hour), nil
		}}
		c, err := mid.NewClient(testID, secret, mid.WithHTTPClient(&http.Client{Transport: a}))
		require.NoError(t, err)
		err = look(t.Context(), c)
		require.ErrorIs(t, err, mid.ErrInvalidClient, secret)
		require.ErrorIs(t, err, mid.ErrUnauthorized, secret)
		err = look(t.Context(), c)
		require.ErrorIs(t, err, mid.ErrNotFound, secret)
		e, ok := errors.AsType[*mid.APIError](err)
		require.True(t, ok, "%v", err)
		require.Equal(t, mid.CodeNotFound, e.Code)
	}
}

// A token source of the application's own, or its server, may quote the secret.
func TestErrorsOfATokenSourceAreScrubbed(t *testing.T) {
	t.Parallel()
	quoting := &oauth2.RetrieveError{ErrorCode: "invalid_client", ErrorDescription: "not " + testSecret, Response: &http.Response{StatusCode: 401}}
	for _, src := range []mid.TokenSource{
		mid.OAuth2TokenSource(tokenFunc(func() (*oauth2.Token, error) { return nil, quoting })),
		mid.OAuth2TokenSource(tokenFunc(func() (*oauth2.Token, error) {
			return nil, &oauth2.RetrieveError{ErrorCode: "bad_" + testSecret, Response: &http.Response{StatusCode: 400}}
		})),
		source(func(context.Context) (*oauth2.Token, error) {
			return nil, &mid.APIError{StatusCode: 400, RequestID: testSecret, Details: []mid.FieldError{{Field: testSecret, Message: testSecret}}}
		}),
		source(func(context.Context) (*oauth2.Token, error) { return nil, fmt.Errorf("login as %s failed", testSecret) }),
	} {
		a := &api{handle: answers(status(200, ok(pendingSession)))}
		err := look(t.Context(), a.client(t, mid.WithTokenSource(src)))
		require.Error(t, err)
		require.NotContains(t, everything(err), testSecret)
	}
}

// A space is a plus sign in a URL, which is no longer than itself.
func TestErrorsAreScrubbedOfSpellingsOfTheSameLength(t *testing.T) {
	t.Parallel()
	a := &api{handle: answers(status(400, problem("invalid_request", "correct+horse+battery", "")))}
	long := source(func(context.Context) (*oauth2.Token, error) {
		return &oauth2.Token{AccessToken: strings.Repeat("t", 40)}, nil
	})
	c, err := mid.NewClient(testID, "correct horse battery", mid.WithHTTPClient(&http.Client{Transport: a}), mid.WithTokenSource(long))
	require.NoError(t, err)
	require.NotContains(t, everything(look(t.Context(), c)), "correct+horse")
}

// tokensInTurn is a cache that hands out one token after the other.
type tokensInTurn struct{ tokens []*oauth2.Token }

func (c *tokensInTurn) Token(context.Context, func(context.Context) (*oauth2.Token, error)) (*oauth2.Token, error) {
	token := c.tokens[0]
	c.tokens = c.tokens[1:]
	return token, nil
}

func (*tokensInTurn) Invalidate(context.Context, *oauth2.Token) error { return nil }

// Errors are scrubbed of every token that the call has sent: the oldest may
// still be good.
func TestErrorsAreScrubbedOfAllTokensOfTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tokens := &tokensInTurn{}
		for _, name := range []string{"oldest", "third", "second", "latest"} {
			tokens.tokens = append(tokens.tokens, &oauth2.Token{AccessToken: "token-" + name})
		}
		later := status(503, problem("service_unavailable", "later", ""))
		a := &api{handle: answers(later, later, later,
			status(400, problem("invalid_request", "seen: token-oldest, token-third, token-second, token-latest", "")))}
		err := look(t.Context(), a.client(t, mid.WithTokenCache(tokens)))
		require.ErrorContains(t, err, "seen: [REDACTED], [REDACTED], [REDACTED], [REDACTED]")
		require.Len(t, a.sent(), 4)
		require.Equal(t, "Bearer token-latest", last(a.sent()).Header.Get("Authorization"))
	})
}

// A Response shows its request id, which a proxy may make of what it was sent.
func TestResponsesAreScrubbedOfEchoes(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{"success":true,"data":{"id":"sess_1","status":"pending"}}`, `{"success":true,"data":{"id":"sess_1","status":"pending"},"meta":{"request_id":"Bearer token-1"}}`, `no JSON`} {
		var r mid.Response
		c := once(t, status(200, body, "X-Request-Id", "Bearer token-1"))
		_, _ = c.Authentication.GetSession(t.Context(), "sess_1", mid.WithResponse(&r))
		require.Equal(t, "Bearer [REDACTED]", r.RequestID, body)
	}
}

// Nothing in the chain of an error shows what its own text does not.
func TestCausesThatEchoAreLeftOut(t *testing.T) {
	t.Parallel()
	echo, plain := errors.New("proxy refused Bearer token-1"), errors.New("proxy refused")
	for _, cause := range []error{echo, plain} {
		a := &api{handle: answers(failed(cause))}
		err := look(t.Context(), a.client(t, mid.WithRetry(mid.RetryPolicy{})))
		require.ErrorContains(t, err, "proxy refused")
		require.NotContains(t, err.Error(), "token-1")
		require.Equal(t, cause == plain, errors.Is(err, cause))
	}
}
