//go:build !race

// The race detector allocates too, so the counts are taken without it.

package mid_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// echo answers every request with one body and allocates next to nothing
// itself.
type echo struct {
	header http.Header
	body   []byte
}

type echoBody struct{ bytes.Reader }

func (*echoBody) Close() error { return nil }

func (e *echo) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
		r.Body.Close()
	}
	b := new(echoBody)
	b.Reset(e.body)
	return &http.Response{StatusCode: 200, Header: e.header, Body: b, ContentLength: int64(len(e.body)), ProtoMajor: 1, Request: r}, nil
}

func newEchoClient(t testing.TB) *mid.Client {
	e := &echo{
		header: http.Header{
			"Content-Type": {"application/json"}, "Date": {"Mon, 02 Nov 2026 10:00:00 GMT"}, "X-Request-Id": {"req_1"},
			"X-Ratelimit-Limit": {"5000"}, "X-Ratelimit-Remaining": {"4987"}, "X-Ratelimit-Reset": {"4102444800"},
		},
		body: []byte(ok(pendingSession)),
	}
	c, err := mid.NewClient(testID, testSecret, staticToken(), mid.WithHTTPClient(&http.Client{Transport: e}),
		mid.WithLogger(slog.New(slog.DiscardHandler)))
	require.NoError(t, err)
	return c
}

// What a call costs is part of what users get: these numbers may go down.
// bench/ has them beside those of bare net/http.
func TestAllocations(t *testing.T) {
	c, ctx := newEchoClient(t), context.Background()
	hooks := newHooks(t, mid.WebhookConfig{})
	event := hookPayload("evt_abc123", mid.EventAuthenticationCompleted, hookSession)
	header := hookHeader(event)
	params := mid.CreateAuthSessionParams{Intent: mid.IntentLogin, Recipient: "+14155550123"}
	for _, test := range []struct {
		name string
		most float64
		call func() error
	}{
		{"GET", 32, func() error { return look(ctx, c) }},
		{"POST", 36, func() error { _, err := c.Authentication.CreateSession(ctx, params); return err }},
		{"webhook", 26, func() error { return receiveSession(hooks, event, header) }},
	} {
		require.NoError(t, test.call())
		got := testing.AllocsPerRun(200, func() {
			if err := test.call(); err != nil {
				t.Fatal(err)
			}
		})
		require.LessOrEqual(t, got, test.most, "allocations of a %s", test.name)
		t.Logf("a %s takes %v allocations", test.name, got)
	}
}
