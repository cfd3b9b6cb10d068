package transport

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"
)

// vault hands out one token after the other; each is good until it is dropped.
type vault struct {
	n       int
	dropped []string
	err     error // Invalidate's
}

func (v *vault) token(context.Context) (*oauth2.Token, error) {
	return &oauth2.Token{AccessToken: fmt.Sprint("token-", v.n+1)}, nil
}

func (v *vault) invalidate(_ context.Context, t *oauth2.Token) error {
	v.dropped = append(v.dropped, t.AccessToken)
	v.n++
	return v.err
}

// authorized makes the stages that see a token; the statuses are those of the
// answers, in order, the last one for ever.
func authorized(v *vault, statuses ...int) (stage *Auth, sent *[]string) {
	sent = new([]string)
	bearer := &Bearer{Token: v.token, Next: wire(func(req *http.Request) (*http.Response, error) {
		*sent = append(*sent, req.Header.Get("Authorization"))
		return answered(statuses[min(len(*sent), len(statuses))-1], ""), nil
	})}
	q := newQuota(10)
	limit := &Limit{Next: bearer, Wait: q.wait, Observe: q.observe, Prepare: bearer.Prepare, Places: new(Places)}
	return &Auth{Next: limit, Invalidate: v.invalidate}, sent
}

func TestAfterA401(t *testing.T) {
	for name, test := range map[string]struct {
		statuses []int
		change   func(*vault, *Call)
		status   int
		sent     []string
		dropped  []string
	}{
		"replayed": {
			statuses: []int{401, 200}, status: 200,
			sent: []string{"Bearer token-1", "Bearer token-2"}, dropped: []string{"token-1"},
		},
		"twice": {
			statuses: []int{401}, status: 401,
			sent: []string{"Bearer token-1", "Bearer token-2"}, dropped: []string{"token-1", "token-2"},
		},
		"replayed before, in an earlier attempt": {
			statuses: []int{401}, status: 401, change: func(_ *vault, c *Call) { c.bearing.replayed = true },
			sent: []string{"Bearer token-1"}, dropped: []string{"token-1"},
		},
		"without retries": {
			statuses: []int{401}, status: 401, change: func(_ *vault, c *Call) { c.NoRetry = true },
			sent: []string{"Bearer token-1"}, dropped: []string{"token-1"},
		},
		"a body that can't be replayed": {
			statuses: []int{401}, status: 401, change: func(_ *vault, c *Call) { c.Body = onceOnly{bytesOf("x")} },
			sent: []string{"Bearer token-1"}, dropped: []string{"token-1"},
		},
		"a cache that can't drop it": {
			statuses: []int{401}, status: 401, change: func(v *vault, _ *Call) { v.err = errors.New("down") },
			sent: []string{"Bearer token-1"}, dropped: []string{"token-1"},
		},
		"another status": {statuses: []int{403}, status: 403, sent: []string{"Bearer token-1"}},
	} {
		t.Run(name, func(t *testing.T) {
			v := new(vault)
			stage, sent := authorized(v, test.statuses...)
			req := request(t, t.Context())
			if test.change != nil {
				test.change(v, callOf(req))
			}
			resp, err := stage.RoundTrip(req)
			require.NoError(t, err)
			require.Equal(t, test.status, resp.StatusCode)
			require.Equal(t, test.sent, *sent)
			require.Equal(t, test.dropped, v.dropped)
		})
	}
}

type onceOnly struct{ *Bytes }

func (onceOnly) Rewind(context.Context) error { return errors.New("it can be read only once") }

// A call knows all tokens that it sent, each once: they are kept out of texts.
func TestCallKnowsAllItsTokens(t *testing.T) {
	call := newCall(t.Context(), http.MethodGet, nil)
	require.Empty(t, call.Tokens())
	for _, token := range []string{"a", "b", "b", "a", "c", "d"} {
		call.bearing.take(&oauth2.Token{AccessToken: token})
	}
	require.Equal(t, []string{"a", "b", "c", "d"}, call.Tokens())
	_ = append(call.Tokens(), "the secret")
	call.bearing.take(&oauth2.Token{AccessToken: "e"})
	require.Equal(t, "e", call.Tokens()[4], "what a caller appends is its own")
}

// The token is the one that is good when it is the request's turn, not when the
// request joined the queue.
func TestTheTokenIsThatOfTheDeparture(t *testing.T) {
	v := new(vault)
	stage, sent := authorized(v, 200)
	limit, ok := stage.Next.(*Limit)
	require.True(t, ok)
	wait := limit.Wait
	limit.Wait = func(ctx context.Context) error {
		// Another call's token is refused meanwhile.
		require.NoError(t, v.invalidate(ctx, &oauth2.Token{AccessToken: "token-1"}))
		return wait(ctx)
	}
	_, err := stage.RoundTrip(request(t, t.Context()))
	require.NoError(t, err)
	require.Equal(t, []string{"Bearer token-2"}, *sent)
}

// The kind of a token is kept with it.
func TestAuthorizationFollowsTheToken(t *testing.T) {
	b := new(Bearer)
	require.Equal(t, "Bearer x", b.authorization(&oauth2.Token{AccessToken: "x"}))
	require.Equal(t, "MAC x", b.authorization(&oauth2.Token{AccessToken: "x", TokenType: "MAC"}))
	require.Equal(t, "Bearer y", b.authorization(&oauth2.Token{AccessToken: "y", TokenType: "bearer"}))
	require.Zero(t, testing.AllocsPerRun(100, func() { b.authorization(&oauth2.Token{AccessToken: "y", TokenType: "bearer"}) }))
}
