package e2e_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// plant is a violation made in an exchange that has none. A validator that
// misses it would make green runs worthless.
type plant struct {
	name, operation string
	change          func(*testing.T, *exchange)
	reason          string // part of what the validator must say
}

// recordAll has one good exchange of every operation, and a refused one.
func recordAll(t *testing.T) *wire {
	t.Helper()
	w := newWire(t)
	c, ctx := w.client(), bounded(t)
	for _, op := range newWorld(t, w.mid).operations(t) {
		require.NoError(t, op.call(ctx, c))
	}
	return w
}

// TestContractPlantedRequests makes sure that bad requests would be seen.
func TestContractPlantedRequests(t *testing.T) {
	w := recordAll(t)
	for _, p := range requestPlants() {
		t.Run(p.name, func(t *testing.T) {
			x := w.last(t, p.operation).clone()
			require.NoError(t, w.contract.request(x))
			p.change(t, x)
			require.ErrorContains(t, w.contract.request(x), p.reason)
		})
	}
}

// TestContractPlantedAnswers makes sure that bad answers would be seen.
func TestContractPlantedAnswers(t *testing.T) {
	w := recordAll(t)
	for _, p := range answerPlants() {
		t.Run(p.name, func(t *testing.T) {
			x := w.last(t, p.operation).clone()
			require.NoError(t, w.contract.response(x))
			p.change(t, x)
			require.ErrorContains(t, w.contract.response(x), p.reason)
		})
	}
}

// TestContractPlantedOnTheWire makes sure that the proxy looks at what passes.
func TestContractPlantedOnTheWire(t *testing.T) {
	w := newWire(t)
	c, ctx := w.client(), bounded(t)
	w.tamper = func(x *exchange) {
		if strings.HasPrefix(x.url.Path, "/v1/auth/sessions") {
			x.answerHeader.Del("X-RateLimit-Limit")
		}
	}
	_, err := c.Authentication.CreateSession(ctx, mid.CreateAuthSessionParams{Intent: mid.IntentLogin})
	require.NoError(t, err)
	bad := w.violations()
	require.Len(t, bad, 1)
	require.NoError(t, bad[0].badReq)
	require.ErrorContains(t, bad[0].badAns, "X-RateLimit-Limit")
}

// inBody makes a plant that replaces a text of the request's body.
func inBody(before, after string) func(*testing.T, *exchange) {
	return func(t *testing.T, x *exchange) { x.body = swap(t, x.body, before, after) }
}

// inAnswer makes a plant that replaces a text of the answer.
func inAnswer(before, after string) func(*testing.T, *exchange) {
	return func(t *testing.T, x *exchange) { x.answer = swap(t, x.answer, before, after) }
}

func withHeader(name, value string) func(*testing.T, *exchange) {
	return func(_ *testing.T, x *exchange) { setOrDelete(x.header, name, value) }
}

func withAnswerHeader(name, value string) func(*testing.T, *exchange) {
	return func(_ *testing.T, x *exchange) { setOrDelete(x.answerHeader, name, value) }
}

func setOrDelete(h map[string][]string, name, value string) {
	delete(h, name)
	if value != "" {
		h[name] = []string{value}
	}
}

func withStatus(status int) func(*testing.T, *exchange) {
	return func(_ *testing.T, x *exchange) { x.status = status }
}
