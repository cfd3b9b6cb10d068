package mid_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// A 401 is reported, though what failed came after it.
func TestFailureAfterA401TellsThe401(t *testing.T) {
	a := &api{handle: answers(
		status(401, problem("unauthorized", "the token was revoked", "")),
		failed(errors.New("connection reset")))}
	err := look(t.Context(), a.client(t, mid.WithRetry(mid.RetryPolicy{})))
	require.EqualError(t, err, "mid: GET /auth/sessions/sess_1: connection reset after 2 attempts; the last answer: "+
		"GET /auth/sessions/sess_1: 401 Unauthorized (unauthorized): the token was revoked [request req_2] after 2 attempts")
	require.NotErrorIs(t, err, mid.ErrUnauthorized)
}

// An error keeps its status however long its answer is; of a success that is
// too long nothing is kept.
func TestErrorThatIsTooLongKeepsItsStatus(t *testing.T) {
	long := bytes.Repeat([]byte("x"), 10<<20+1)
	for name, length := range map[string]int64{"told": int64(len(long)), "not told": -1} {
		for _, code := range []int{404, 302, 200} {
			a := &api{handle: func(*http.Request) (*http.Response, error) {
				resp := answer(code, "", "X-Request-Id", "req_9")
				resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(long)), length
				return resp, nil
			}}
			err := look(t.Context(), a.client(t, staticToken()))
			require.Len(t, a.sent(), 1)
			if code == 200 {
				require.ErrorContains(t, err, "larger than 10 MiB", name)
				continue
			}
			apiErr, ok := errors.AsType[*mid.APIError](err)
			require.True(t, ok, "%s: %v", name, err)
			require.Equal(t, code, apiErr.StatusCode, name)
			require.Equal(t, "req_9", apiErr.RequestID, name)
		}
	}
}

// An answer that comes as the ctx ends is the call's: it is not waited on.
func TestAnswerThatComesAsCtxEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		a := &api{handle: func(*http.Request) (*http.Response, error) {
			cancel()
			return answer(503, problem("service_unavailable", "down for a while", "")), nil
		}}
		err := look(ctx, a.client(t, staticToken()))
		require.ErrorIs(t, err, mid.ErrServer)
		require.NotErrorIs(t, err, context.Canceled)
		require.Len(t, a.sent(), 1)
	})
}

// Answers that no server should give become errors, at once.
func TestOddAnswers(t *testing.T) {
	switching := func() (*http.Response, error) {
		resp := answer(101, "")
		resp.Body = io.NopCloser(hungReader{nil})
		return resp, nil
	}
	for name, test := range map[string]struct {
		answer func() (*http.Response, error)
		want   string
	}{
		"switching protocols": {switching, "101 Switching Protocols"},
		"unreadable redirect": {status(302, "", "Location", "http://[bad%zz/"), "302 Found: the server redirects"},
		"a web page":          {status(200, "<html>Sign in</html>"), "a web page, not JSON; check the base URL"},
	} {
		a := &api{handle: answers(test.answer)}
		err := look(t.Context(), a.client(t, staticToken()))
		require.ErrorContains(t, err, test.want, name)
		require.Len(t, a.sent(), 1, name)
	}
}

func TestTokenEndpointThatIsNotThere(t *testing.T) {
	a := &api{handle: session, token: func(int) (*http.Response, error) { return answer(404, "not here"), nil }}
	err := look(t.Context(), a.client(t, mid.WithBaseURL("https://api.example.com")))
	require.ErrorContains(t, err, "there is no token endpoint at https://api.example.com; does the base URL end in /v1?")
}

// A HEAD tells the length of what it does not send.
func TestHead(t *testing.T) {
	a := &api{handle: func(*http.Request) (*http.Response, error) {
		resp := answer(200, "")
		resp.ContentLength = 1 << 40
		return resp, nil
	}}
	require.NoError(t, a.client(t).Call(t.Context(), "HEAD", "/x", nil, nil))
	_, err := a.client(t).Identity.WaitForVerification(t.Context(), "ver_1", mid.PollOptions{})
	require.ErrorContains(t, err, "larger than 10 MiB", "no wait goes on for that")
}
