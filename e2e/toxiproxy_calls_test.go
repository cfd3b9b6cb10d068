package e2e_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// healAfter is middleware that makes the network good once so many sends have
// failed.
func (n *badNetwork) healAfter(failures int32) mid.Option {
	var failed atomic.Int32
	return mid.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			if failed.Load() == failures {
				failed.Add(1)
				n.heal()
			}
			res, err := next.RoundTrip(req)
			if err != nil {
				failed.Add(1)
				return nil, err
			}
			res.Body = &failingBody{res.Body, &failed}
			return res, nil
		})
	})
}

// TestBadNetworkIsSurvived makes every operation in networks that are bad at
// first, or slow all the time.
func TestBadNetworkIsSurvived(t *testing.T) {
	for _, bad := range []struct{ name, kind, direction, attributes string }{
		{"latency", "latency", "downstream", `{"latency":30,"jitter":20}`},
		{"slices", "slicer", "downstream", `{"average_size":64,"size_variation":32,"delay":100}`},
		{"sliced requests", "slicer", "upstream", `{"average_size":64,"size_variation":32,"delay":100}`},
		{"bandwidth", "bandwidth", "downstream", `{"rate":100}`},
	} {
		t.Run(bad.name, func(t *testing.T) {
			n := newBadNetwork(t)
			there := newWorld(t, n.srv)
			n.add(bad.kind, bad.direction, bad.attributes)
			c, ctx := n.client(quickRetries(0)), bounded(t)
			for _, op := range there.operations(t) {
				require.NoError(t, op.call(ctx, c), op.id)
			}
		})
	}
}

// TestBadNetworkIsRetried makes a call while the network is broken in one way
// or another, and has it mended after two failures.
func TestBadNetworkIsRetried(t *testing.T) {
	for _, bad := range []struct{ name, kind, direction, attributes string }{
		{"reset at once", "reset_peer", "upstream", `{"timeout":0}`},
		{"reset before the answer", "reset_peer", "downstream", `{"timeout":20}`},
		{"closed without an answer", "timeout", "downstream", `{"timeout":20}`},
		{"silence", "timeout", "downstream", `{"timeout":0}`},
		{"silence both ways", "timeout", "upstream", `{"timeout":0}`},
		{"no byte of the answer", "limit_data", "downstream", `{"bytes":0}`},
		{"answer cut in its header", "limit_data", "downstream", `{"bytes":50}`},
		{"answer cut in its body", "limit_data", "downstream", `{"bytes":900}`},
		{"request cut", "limit_data", "upstream", `{"bytes":100}`},
	} {
		t.Run(bad.name, func(t *testing.T) {
			n := newBadNetwork(t)
			there := newWorld(t, n.srv)
			sessions := len(n.srv.AuthSessions())
			ctx := bounded(t)
			c := n.client(mid.WithAttemptTimeout(400*time.Millisecond), n.healAfter(2), mid.WithTokenSource(ownToken(n.srv)))
			n.add(bad.kind, bad.direction, bad.attributes)
			var answer mid.Response
			_, err := c.Authentication.CreateSession(ctx, there.authParams(), mid.WithResponse(&answer))
			require.NoError(t, err)
			assert.Equal(t, 3, answer.Attempts)
			assert.Len(t, n.srv.AuthSessions(), sessions+1, "it is created once")
		})
	}
}

// TestBadNetworkForGood gives up, with an error that says why.
func TestBadNetworkForGood(t *testing.T) {
	n := newBadNetwork(t)
	token := mid.WithTokenSource(ownToken(n.srv))
	c := n.client(token, mid.WithAttemptTimeout(100*time.Millisecond))
	n.add("timeout", "downstream", `{"timeout":0}`)
	began := time.Now()
	_, err := c.Authentication.GetSession(bounded(t), "sess_1")
	require.ErrorContains(t, err, "no progress for 100ms")
	require.ErrorContains(t, err, "4 attempts")
	var timeout interface{ Timeout() bool }
	require.ErrorAs(t, err, &timeout)
	assert.True(t, timeout.Timeout())
	assert.GreaterOrEqual(t, time.Since(began), 400*time.Millisecond)

	ctx, cancel := context.WithTimeout(t.Context(), 150*time.Millisecond)
	defer cancel()
	_, err = n.client(token).Authentication.GetSession(ctx, "sess_1")
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

// TestBadNetworkAttemptTimeout bounds the time without progress, not the time
// that an answer takes.
func TestBadNetworkAttemptTimeout(t *testing.T) {
	n := newBadNetwork(t)
	there := newWorld(t, n.srv)
	// An answer of some 3 KiB in pieces of 256 bytes, every 100 ms.
	n.add("slicer", "downstream", `{"average_size":256,"size_variation":0,"delay":100000}`)
	c := n.client(mid.WithTokenSource(ownToken(n.srv)), mid.WithAttemptTimeout(600*time.Millisecond), quickRetries(0))
	began := time.Now()
	_, err := c.Authentication.GetSession(bounded(t), there.auth.ID)
	require.NoError(t, err)
	assert.Greater(t, time.Since(began), 600*time.Millisecond)
}
