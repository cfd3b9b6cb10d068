package mid_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	mid "github.com/mobid-io/mid-go"
)

const hookSecret = "whsec_7d0f3a9c51"

func newHooks(t testing.TB, cfg mid.WebhookConfig) *mid.WebhookService {
	t.Helper()
	if cfg.Secrets == nil {
		cfg.Secrets = []string{hookSecret}
	}
	hooks, err := mid.NewWebhookService(cfg)
	require.NoError(t, err)
	return hooks
}

// hookPayload is an event that is sent now.
func hookPayload(id string, typ mid.EventType, data string) []byte {
	return fmt.Appendf(nil, `{"id":%q,"type":%q,"timestamp":%d,"data":%s}`, id, typ, time.Now().UnixMilli(), data)
}

// hookMAC signs without the code under test.
func hookMAC(secret string, payload []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(payload)
	return hex.EncodeToString(mac.Sum(nil))
}

func hookHeader(payload []byte) http.Header {
	h := http.Header{}
	h.Set("X-Webhook-Signature", hookMAC(hookSecret, payload))
	h.Set("X-Client-Id", "client_42")
	return h
}

func hookRequest(payload []byte) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/mid/events", bytes.NewReader(payload))
	r.Header = hookHeader(payload)
	return r
}

func TestWebhookSignatureKnownVector(t *testing.T) {
	// printf '%s' '{"id":"evt_1"}' | openssl dgst -sha256 -hmac whsec_example
	const want = "c9088277a5fa7a8ed9793eff7a4dfe2ffb88f76c75a1c587a70293464b4043be"
	hooks := newHooks(t, mid.WebhookConfig{Secrets: []string{"whsec_example"}})
	require.Equal(t, want, hooks.Sign([]byte(`{"id":"evt_1"}`)))
	require.NoError(t, hooks.Verify([]byte(`{"id":"evt_1"}`), want))
}

func TestWebhookVerify(t *testing.T) {
	payload := []byte(`{"id":"evt_1", "amount":1.0}`)
	good := hookMAC(hookSecret, payload)
	tests := map[string]struct {
		payload   []byte
		signature string
		want      error
	}{
		"good":              {payload, good, nil},
		"missing":           {payload, "", mid.ErrMissingSignature},
		"another payload":   {append([]byte(" "), payload...), good, mid.ErrInvalidSignature},
		"encoded again":     {[]byte(`{"amount":1,"id":"evt_1"}`), good, mid.ErrInvalidSignature},
		"empty payload":     {nil, good, mid.ErrInvalidSignature},
		"another secret":    {payload, hookMAC("whsec_other", payload), mid.ErrInvalidSignature},
		"cut":               {payload, good[:62], mid.ErrInvalidSignature},
		"longer":            {payload, good + "00", mid.ErrInvalidSignature},
		"not hexadecimal":   {payload, strings.Repeat("zz", 32), mid.ErrInvalidSignature},
		"with a prefix":     {payload, "sha256=" + good, mid.ErrInvalidSignature},
		"one bit different": {payload, flipLast(good), mid.ErrInvalidSignature},
	}
	hooks := newHooks(t, mid.WebhookConfig{})
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			require.ErrorIs(t, hooks.Verify(tt.payload, tt.signature), tt.want)
		})
	}
}

func flipLast(signature string) string {
	last := byte('0')
	if signature[len(signature)-1] == last {
		last = '1'
	}
	return signature[:len(signature)-1] + string(last)
}

func TestWebhookVerifyAnyOfSeveralSecrets(t *testing.T) {
	secrets := []string{"whsec_new", "whsec_old"}
	hooks := newHooks(t, mid.WebhookConfig{Secrets: secrets})
	secrets[1] = "whsec_changed_by_the_caller"
	payload := []byte(`{"id":"evt_1"}`)
	for range 3 { // the state of an HMAC is used again
		require.NoError(t, hooks.Verify(payload, hookMAC("whsec_new", payload)))
		require.NoError(t, hooks.Verify(payload, hookMAC("whsec_old", payload)))
		require.ErrorIs(t, hooks.Verify(payload, hookMAC("whsec_changed_by_the_caller", payload)), mid.ErrInvalidSignature)
	}
	require.Equal(t, hookMAC("whsec_new", payload), hooks.Sign(payload))
}

func TestWebhookVerifyConcurrently(t *testing.T) {
	hooks := newHooks(t, mid.WebhookConfig{})
	failed := make(chan error, 8)
	for i := range cap(failed) {
		go func() {
			var err error
			for j := range 200 {
				payload := fmt.Appendf(nil, "%d-%d", i, j)
				err = errors.Join(err, hooks.Verify(payload, hookMAC(hookSecret, payload)))
			}
			failed <- err
		}()
	}
	for range cap(failed) {
		require.NoError(t, <-failed)
	}
}

func TestWebhookConfigRefused(t *testing.T) {
	tests := map[string]struct {
		cfg   mid.WebhookConfig
		field string
	}{
		"no secret":               {mid.WebhookConfig{}, "WebhookConfig.Secrets"},
		"an empty one among them": {mid.WebhookConfig{Secrets: []string{"a", ""}}, "WebhookConfig.Secrets[1]"},
		"negative tolerance":      {mid.WebhookConfig{Secrets: []string{"a"}, Tolerance: -1}, "WebhookConfig.Tolerance"},
		"negative lease":          {mid.WebhookConfig{Secrets: []string{"a"}, Lease: -1}, "WebhookConfig.Lease"},
		"negative bound":          {mid.WebhookConfig{Secrets: []string{"a"}, MaxBodyBytes: -1}, "WebhookConfig.MaxBodyBytes"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			hooks, err := mid.NewWebhookService(tt.cfg)
			require.Nil(t, hooks)
			var invalid *mid.ValidationError
			require.ErrorAs(t, err, &invalid)
			require.Equal(t, tt.field, invalid.Field)
		})
	}
}

// The key of an HMAC is any bytes.
func TestWebhookSecretOfAnyBytes(t *testing.T) {
	hooks, err := mid.NewWebhookService(mid.WebhookConfig{Secrets: []string{"\x00\x01\xff of any bytes"}})
	require.NoError(t, err)
	require.NoError(t, hooks.Verify([]byte("{}"), hooks.Sign([]byte("{}"))))
}

func TestWebhookParse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hooks := newHooks(t, mid.WebhookConfig{})
		payload := hookPayload("evt_1", mid.EventAuthenticationCompleted, `{"id": "sess_1", "status":"approved"}`)
		event, err := hooks.Parse(payload, hookHeader(payload))
		require.NoError(t, err)
		clear(payload)
		require.Equal(t, &mid.Event{
			ID:        "evt_1",
			Type:      mid.EventAuthenticationCompleted,
			Timestamp: time.Now().UTC(),
			ClientID:  "client_42",
			Data:      json.RawMessage(`{"id": "sess_1", "status":"approved"}`),
		}, event, "the data must outlive the payload")
		session, err := event.AuthSession()
		require.NoError(t, err)
		require.Equal(t, &mid.AuthSession{ID: "sess_1", Status: mid.AuthApproved}, session)
	})
}

// Keys of a header come in any case from where package net/http does not make
// them canonical.
func TestWebhookParseTakesHeaderKeysInAnyCase(t *testing.T) {
	hooks := newHooks(t, mid.WebhookConfig{})
	payload := hookPayload("evt_1", "x", "{}")
	good := hookMAC(hookSecret, payload)
	for _, key := range []string{"x-webhook-signature", "X-WEBHOOK-SIGNATURE", "X-Webhook-Signature", "x-Webhook-signaturE"} {
		event, err := hooks.Parse(payload, http.Header{key: {good}, "x-client-id": {"client_42"}, "x-webhook": {"0"}})
		require.NoError(t, err, key)
		require.Equal(t, "client_42", event.ClientID)
		r := hookRequest(payload)
		r.Header = http.Header{key: {good}}
		_, err = hooks.ParseRequest(r)
		require.NoError(t, err, key)
	}
	bad := strings.Repeat("0", 64)
	for range 20 { // a map has no order
		_, err := hooks.Parse(payload, http.Header{"x-webhook-signature": {bad}, "X-WEBHOOK-SIGNATURE": {bad}, mid.SignatureHeader: {good}})
		require.NoError(t, err)
		_, err = hooks.Parse(payload, http.Header{"x-webhook-signature": {bad}, "X-WEBHOOK-SIGNATURE": {good}, "X-Webhook-SIGNATURE": {}})
		require.NoError(t, err)
	}
	_, err := hooks.Parse(payload, http.Header{"x-webhook-signature": {}, "X-Webhook-Signatur": {good}})
	require.ErrorIs(t, err, mid.ErrMissingSignature)
}

func TestWebhookParseTolerates(t *testing.T) {
	now := time.Now().UnixMilli()
	for name, payload := range map[string]string{
		"unknown type":     fmt.Sprintf(`{"id":"evt_1","type":"moon.landed","timestamp":%d,"data":{}}`, now),
		"unknown fields":   fmt.Sprintf(`{"id":"evt_1","type":"x","timestamp":%d,"data":{},"attempt":[1],"org":null}`, now),
		"null data":        fmt.Sprintf(`{"id":"evt_1","type":"x","timestamp":%d,"data":null}`, now),
		"no data":          fmt.Sprintf(`{"id":"evt_1","type":"x","timestamp":%d}`, now),
		"space around it":  fmt.Sprintf(" \n{\"id\":\"evt_1\",\"type\":\"x\",\"timestamp\":%d}\n", now),
		"data of any kind": fmt.Sprintf(`{"id":"evt_1","type":"x","timestamp":%d,"data":[1,"a"]}`, now),
	} {
		t.Run(name, func(t *testing.T) {
			event, err := newHooks(t, mid.WebhookConfig{}).Parse([]byte(payload), hookHeader([]byte(payload)))
			require.NoError(t, err)
			require.Equal(t, "evt_1", event.ID)
		})
	}
}

func TestWebhookParseMalformed(t *testing.T) {
	now := time.Now().UnixMilli()
	for name, payload := range map[string]string{
		"empty":              "",
		"not JSON":           "Sesame-open",
		"cut":                `{"id":"Sesame`,
		"trailing":           fmt.Sprintf(`{"id":"evt_1","type":"x","timestamp":%d} Sesame`, now),
		"a string":           `"Sesame"`,
		"id of a wrong type": fmt.Sprintf(`{"id":77003311,"type":"x","timestamp":%d}`, now),
		"no id":              fmt.Sprintf(`{"type":"Sesame","timestamp":%d}`, now),
		"null id":            fmt.Sprintf(`{"id":null,"type":"Sesame","timestamp":%d}`, now),
		"empty id":           fmt.Sprintf(`{"id":"","type":"Sesame","timestamp":%d}`, now),
		"no type":            fmt.Sprintf(`{"id":"Sesame","timestamp":%d}`, now),
	} {
		t.Run(name, func(t *testing.T) {
			event, err := newHooks(t, mid.WebhookConfig{}).Parse([]byte(payload), hookHeader([]byte(payload)))
			require.Nil(t, event)
			require.ErrorContains(t, err, "mid: webhook event ")
			for _, other := range []error{mid.ErrMissingSignature, mid.ErrInvalidSignature, mid.ErrStaleEvent, mid.ErrPayloadTooLarge} {
				require.NotErrorIs(t, err, other)
			}
			require.NotContains(t, err.Error(), "Sesame", "an error must not quote the payload")
			require.NotContains(t, err.Error(), "77003311", "an error must not quote the payload")
		})
	}
}

func TestWebhookParseVerifiesFirst(t *testing.T) {
	hooks := newHooks(t, mid.WebhookConfig{})
	_, err := hooks.Parse([]byte("not JSON"), http.Header{"X-Webhook-Signature": {hookMAC("whsec_other", []byte("not JSON"))}})
	require.ErrorIs(t, err, mid.ErrInvalidSignature)
	_, err = hooks.Parse([]byte("not JSON"), nil)
	require.ErrorIs(t, err, mid.ErrMissingSignature)
}

func TestWebhookParseAge(t *testing.T) {
	for _, tt := range []struct{ tolerance, allowed time.Duration }{
		{0, 5 * time.Minute},
		{time.Second, time.Second},
	} {
		for off, stale := range map[time.Duration]bool{
			tt.allowed:                     false,
			tt.allowed + time.Millisecond:  true,
			-tt.allowed:                    false,
			-tt.allowed - time.Millisecond: true,
			time.Since(time.UnixMilli(0)):  true,
		} {
			synctest.Test(t, func(t *testing.T) {
				hooks := newHooks(t, mid.WebhookConfig{Tolerance: tt.tolerance})
				payload := fmt.Appendf(nil, `{"id":"evt_1","type":"x","timestamp":%d}`, time.Now().Add(-off).UnixMilli())
				_, err := hooks.Parse(payload, hookHeader(payload))
				require.Equal(t, stale, errors.Is(err, mid.ErrStaleEvent), "%v off: %v", off, err)
				require.Equal(t, stale, err != nil)
			})
		}
	}
}

func TestWebhookParseWithoutUsableTimestamp(t *testing.T) {
	for _, timestamp := range []string{`null`, `0`, `9223372036854775807`, `-9223372036854775808`} {
		payload := []byte(`{"id":"evt_1","type":"x","timestamp":` + timestamp + `}`)
		_, err := newHooks(t, mid.WebhookConfig{}).Parse(payload, hookHeader(payload))
		require.ErrorIs(t, err, mid.ErrStaleEvent, timestamp)
	}
}

func TestWebhookParseRequest(t *testing.T) {
	hooks := newHooks(t, mid.WebhookConfig{})
	event, err := hooks.ParseRequest(hookRequest(hookPayload("evt_1", "x", "{}")))
	require.NoError(t, err)
	require.Equal(t, "evt_1", event.ID)
	require.Equal(t, "client_42", event.ClientID)

	r := hookRequest(nil)
	r.Body = nil
	_, err = hooks.ParseRequest(r)
	require.ErrorContains(t, err, "it is not JSON")

	r = hookRequest([]byte("{}"))
	r.Body = io.NopCloser(iotest.ErrReader(io.ErrUnexpectedEOF))
	_, err = hooks.ParseRequest(r)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.ErrorContains(t, err, "mid: ")
}

// countingBody is endless.
type countingBody struct{ n int64 }

func (r *countingBody) Read(p []byte) (int, error) {
	r.n += int64(len(p))
	return len(p), nil
}

func TestWebhookParseRequestBoundsTheBody(t *testing.T) {
	payload := hookPayload("evt_1", "x", `"`+strings.Repeat("a", 1000)+`"`)
	fits := newHooks(t, mid.WebhookConfig{MaxBodyBytes: int64(len(payload))})
	_, err := fits.ParseRequest(hookRequest(payload))
	require.NoError(t, err)

	tight := newHooks(t, mid.WebhookConfig{MaxBodyBytes: int64(len(payload)) - 1})
	_, err = tight.ParseRequest(hookRequest(payload))
	require.ErrorIs(t, err, mid.ErrPayloadTooLarge)

	body := new(countingBody)
	r := hookRequest(nil)
	r.Body = io.NopCloser(body)
	_, err = newHooks(t, mid.WebhookConfig{}).ParseRequest(r)
	require.ErrorIs(t, err, mid.ErrPayloadTooLarge)
	require.LessOrEqual(t, body.n, int64(1<<20+1))

	body = new(countingBody)
	r = hookRequest(nil)
	r.Header.Del(mid.SignatureHeader)
	r.Body = io.NopCloser(body)
	_, err = fits.ParseRequest(r)
	require.ErrorIs(t, err, mid.ErrMissingSignature)
	require.Zero(t, body.n, "an unsigned body must not be read")
}

func TestEventData(t *testing.T) {
	verification := &mid.Event{Type: mid.EventVerificationCompleted, Data: json.RawMessage(`{"id":"ver_1","status":"verified"}`)}
	v, err := verification.Verification()
	require.NoError(t, err)
	require.Equal(t, &mid.Verification{ID: "ver_1", Status: mid.VerificationVerified}, v)
	_, err = verification.AuthSession()
	require.ErrorContains(t, err, "verification.completed", "the data of one type must not pass for another's")

	signing := &mid.Event{Type: mid.EventSigningCompleted, Data: json.RawMessage(`{"id":"sign_1","status":"completed"}`)}
	s, err := signing.SigningSession()
	require.NoError(t, err)
	require.Equal(t, &mid.SigningSession{ID: "sign_1", Status: mid.SigningCompleted}, s)
	_, err = signing.Verification()
	require.Error(t, err)

	unknown := &mid.Event{Type: "authentication.expired", Data: json.RawMessage(`{"id":"sess_1","metadata":null,"new":1}`)}
	a, err := unknown.AuthSession()
	require.NoError(t, err)
	require.Equal(t, "sess_1", a.ID)
}

func TestEventDataErrorsQuoteNothing(t *testing.T) {
	for _, data := range []string{``, `null`, `{}`, `{"status":"Sesame"}`, `{"id":"Sesame"`, `{"id":{"a":"Sesame"}}`, `{"metadata":{"Sesame":1}}`, `["Sesame"]`} {
		_, err := (&mid.Event{Type: mid.EventAuthenticationCompleted, Data: json.RawMessage(data)}).AuthSession()
		require.ErrorContains(t, err, "mid: event data ")
		require.NotContains(t, err.Error(), "Sesame")
	}
}

// hookSettings is an application's configuration; package xml needs its name.
type hookSettings struct{ Hooks mid.WebhookConfig }

func TestWebhookSecretsAndPayloadsStayHidden(t *testing.T) {
	cfg := mid.WebhookConfig{Secrets: []string{hookSecret}}
	hooks := newHooks(t, cfg)
	event := &mid.Event{ID: "evt_1", Type: "x", Data: json.RawMessage(`"Sesame"`)}
	hidden := []string{hookSecret, "Sesame", hex.EncodeToString([]byte(hookSecret)), hex.EncodeToString([]byte("Sesame")),
		strings.Trim(fmt.Sprint([]byte("Sesame")), "[]"), strings.Trim(fmt.Sprint([]byte(hookSecret)), "[]")}
	check := func(text string) {
		t.Helper()
		for _, h := range hidden {
			require.NotContains(t, strings.ToLower(text), strings.ToLower(h))
		}
	}
	for _, v := range []any{cfg, &cfg, hooks, *hooks, event, *event, struct{ hooks mid.WebhookService }{*hooks}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X"} {
			check(fmt.Sprintf(verb, v))
		}
		var logged bytes.Buffer
		slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "value", v)
		slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "value", v)
		check(logged.String())
	}
	for _, v := range []any{cfg, &cfg, []mid.WebhookConfig{cfg}, hookSettings{cfg}} {
		for _, marshal := range []func(any) ([]byte, error){json.Marshal, xml.Marshal} {
			encoded, err := marshal(v)
			require.NoError(t, err)
			require.Contains(t, string(encoded), "mid.WebhookConfig{[REDACTED]}")
			check(string(encoded))
		}
	}
	text, err := encoding.TextMarshaler(cfg).MarshalText() // what YAML and TOML encoders ask for
	require.NoError(t, err)
	require.Equal(t, "mid.WebhookConfig{[REDACTED]}", string(text))

	for _, v := range []slog.LogValuer{cfg, hooks} {
		require.Equal(t, "[REDACTED]", v.LogValue().String())
	}
	require.Equal(t, "mid.Event{evt_1 x}", fmt.Sprintf("%v", event))
	var logged bytes.Buffer
	slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "event", event)
	require.Contains(t, logged.String(), "event.id=evt_1 event.type=x")
}
