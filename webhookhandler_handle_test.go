package mid_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// lowerKeys is a header as it comes from where package net/http has not made
// its keys canonical.
func lowerKeys(h http.Header) http.Header {
	low := http.Header{}
	for key, values := range h {
		low[strings.ToLower(key)] = values
	}
	return low
}

// Handle does on payload and header what Handler does on a request.
func TestHandleDoesWhatHandlerDoes(t *testing.T) {
	valid := hookPayload("evt_1", mid.EventAuthenticationCompleted, `{"id":"sess_1"}`)
	forged := hookHeader(valid)
	forged.Set(mid.SignatureHeader, hookMAC("whsec_other", valid))
	stale := []byte(`{"id":"evt_1","type":"x","timestamp":1}`)
	large := bytes.Repeat([]byte("x"), 1001)
	for name, tt := range map[string]struct {
		payload []byte
		header  http.Header
		result  error
		status  int
	}{
		"handled":   {valid, hookHeader(valid), nil, 204},
		"failed":    {valid, hookHeader(valid), errors.New("Sesame"), 500},
		"forged":    {valid, forged, nil, 401},
		"unsigned":  {valid, nil, nil, 401},
		"stale":     {stale, hookHeader(stale), nil, 401},
		"no event":  {[]byte("{}x"), hookHeader([]byte("{}x")), nil, 400},
		"too large": {large, hookHeader(large), nil, 413},
	} {
		t.Run(name, func(t *testing.T) {
			h := mid.EventHandlers{AuthenticationCompleted: func(context.Context, *mid.Event, *mid.AuthSession) error { return tt.result }}
			cfg := mid.WebhookConfig{MaxBodyBytes: 1000}
			reply := newHooks(t, cfg).Handle(t.Context(), tt.payload, lowerKeys(tt.header), h)
			require.Equal(t, tt.status, reply.Status)
			require.Equal(t, tt.status == 204, reply.Reason == "")
			require.NotContains(t, reply.Reason, "Sesame")

			r := hookRequest(tt.payload)
			r.Header = tt.header
			w := deliverHook(newHooks(t, cfg).Handler(h), r)
			require.Equal(t, tt.status, w.Code)
			require.Equal(t, reply.Reason, strings.TrimSuffix(w.Body.String(), "\n"))
		})
	}
	//nolint:staticcheck // A nil ctx is a mistake, and no reason to lose an event.
	require.Equal(t, 204, newHooks(t, mid.WebhookConfig{}).Handle(nil, valid, hookHeader(valid), mid.EventHandlers{}).Status)
}

// What is wrong is said in words that help, in the log and to the sender.
func TestRefusalsSayWhatIsWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		compact := hookPayload("evt_1", "x", `{"id":"a"}`)
		good := hookHeader(compact)
		var indented bytes.Buffer
		require.NoError(t, json.Indent(&indented, compact, "", "  "))
		at := func(off time.Duration) []byte {
			text, err := json.Marshal(map[string]any{"id": "evt_1", "type": "x", "timestamp": time.Now().Add(off).UnixMilli()})
			require.NoError(t, err)
			return text
		}
		short := http.Header{mid.SignatureHeader: {"sha256=" + good.Get(mid.SignatureHeader)}}
		const invalid = "mid: webhook signature is invalid: "
		const encoded = invalid + "the body looks like JSON that was decoded and encoded again; it must be the exact bytes that MID sent"
		for name, tt := range map[string]struct {
			payload []byte
			header  http.Header
			want    string
		}{
			"no signature":   {compact, nil, "mid: webhook signature is missing"},
			"not a MAC":      {compact, short, invalid + "it is not 64 hexadecimal digits"},
			"read before":    {nil, good, invalid + "the body is empty; was it read by a middleware before?"},
			"indented":       {indented.Bytes(), good, encoded},
			"from Python":    {bytes.ReplaceAll(compact, []byte(":"), []byte(": ")), good, encoded},
			"json.Encoder":   {append(bytes.Clone(compact), '\n'), good, encoded},
			"another secret": {at(0), good, invalid + "it was made over other bytes or with another secret"},
			"clock ahead": {at(-400 * time.Second), hookHeader(at(-400 * time.Second)), "mid: webhook event is too old or too far ahead: it was sent at 1999-12-31T23:53:20Z, " +
				"which is 6m40s ago by this machine's clock; at most 5m0s is allowed, so check the clock"},
			"clock behind": {at(400 * time.Second), hookHeader(at(400 * time.Second)), "mid: webhook event is too old or too far ahead: it was sent at 2000-01-01T00:06:40Z, " +
				"which is 6m40s ahead by this machine's clock; at most 5m0s is allowed, so check the clock"},
		} {
			var logged bytes.Buffer
			hooks := newHooks(t, mid.WebhookConfig{Logger: slog.New(slog.NewJSONHandler(&logged, nil))})
			require.Equal(t, mid.Reply{Status: 401, Reason: tt.want}, hooks.Handle(t.Context(), tt.payload, tt.header, mid.EventHandlers{}), name)
			var line struct{ Outcome, Error string }
			require.NoError(t, json.Unmarshal(logged.Bytes(), &line))
			require.Equal(t, "refused", line.Outcome, name)
			require.Equal(t, tt.want, line.Error, name)
		}
	})
}

// What can't be good is refused before a byte of the body is read.
func TestHopelessDeliveriesAreNotRead(t *testing.T) {
	for name, tt := range map[string]struct {
		signature string
		length    int64
		status    int
	}{
		"no signature":      {"", -1, 401},
		"short signature":   {strings.Repeat("a", 63), -1, 401},
		"no hexadecimal":    {strings.Repeat("z", 64), -1, 401},
		"declared too long": {strings.Repeat("a", 64), 1001, 413},
	} {
		t.Run(name, func(t *testing.T) {
			body := new(countingBody)
			r := hookRequest(nil)
			r.Header = http.Header{mid.SignatureHeader: {tt.signature}}
			r.Body, r.ContentLength = io.NopCloser(body), tt.length
			w := deliverHook(newHooks(t, mid.WebhookConfig{MaxBodyBytes: 1000}).Handler(mid.EventHandlers{}), r)
			require.Equal(t, tt.status, w.Code)
			require.Zero(t, body.n)
		})
	}
}

// Data that says nothing never reaches a typed handler, and is delivered again.
func TestTypedHandlersNeedData(t *testing.T) {
	payload := func(data string) []byte {
		return []byte(strings.TrimSuffix(string(hookPayload("evt_1", mid.EventVerificationCompleted, "null")), `,"data":null}`) + data + "}")
	}
	for _, data := range []string{``, `,"data":null`, `,"data":{}`, `,"data":{"id":""}`, `,"data":{"id":null,"status":"verified"}`, `,"data":[]`, `,"data":""`} {
		store, delivered := new(hookStore), payload(data) // once, because it has the time
		hooks := newHooks(t, mid.WebhookConfig{Store: store})
		got := hooks.Handle(t.Context(), delivered, hookHeader(delivered), mid.EventHandlers{
			VerificationCompleted: func(context.Context, *mid.Event, *mid.Verification) error {
				t.Error("the handler ran")
				return nil
			},
		})
		require.Equal(t, 500, got.Status, data)
		require.Equal(t, []string{"claim evt_1", "release"}, store.calls, data)
		require.Equal(t, 204, newHooks(t, mid.WebhookConfig{}).Handle(t.Context(), delivered, hookHeader(delivered), otherHook(succeed)).Status,
			"Other takes what there is")
	}
}
