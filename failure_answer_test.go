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

// A 401 is told, though what failed is what came after it.
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
