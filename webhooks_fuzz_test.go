package mid_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	mid "github.com/mobid-io/mid-go"
)

func FuzzWebhookParse(f *testing.F) {
	payload := hookPayload("evt_1", mid.EventAuthenticationCompleted, hookSession)
	f.Add(payload, hookMAC(hookSecret, payload))
	f.Add(payload, "")
	f.Add([]byte(`{"id":null,"type":{},"timestamp":1e400,"data":null}`), strings.Repeat("0", 64))
	f.Add([]byte(`{"id":"`+"\xff\xfe"+`","type":"\ud800"}`), "zz")
	f.Add([]byte(strings.Repeat("[", 200)), strings.Repeat("F", 64))
	f.Add([]byte(nil), "é")

	hooks := newHooks(f, mid.WebhookConfig{})
	f.Fuzz(func(t *testing.T, payload []byte, signature string) {
		mac := hookMAC(hookSecret, payload)
		verified := hooks.Verify(payload, signature) == nil
		if genuine := strings.EqualFold(signature, mac); verified != genuine {
			t.Fatalf("verified %t, signature genuine %t", verified, genuine)
		}
		for _, s := range []string{signature, mac} {
			event, err := hooks.Parse(payload, http.Header{mid.SignatureHeader: {s}})
			if (event == nil) != (err != nil) {
				t.Fatalf("event %v with error %v", event, err)
			}
			if err != nil {
				continue
			}
			if event.ID == "" || event.Type == "" {
				t.Fatalf("event %v without id or type", event)
			}
			_, _ = event.AuthSession()
			_, _ = event.Verification()
			_, _ = event.SigningSession()
		}
	})
}

// A header is found under its name in any case, and under no other.
func FuzzWebhookHeaderForms(f *testing.F) {
	for _, key := range []string{"X-Webhook-Signature", "x-webhook-signature", "X-WEBHOOK-SIGNATURE", "x_webhook_signature", "X-Webhook-Signature ", "", "\u017f-Webhook-Signature"} {
		f.Add(key, true)
		f.Add(key, false)
	}
	hooks := newHooks(f, mid.WebhookConfig{})
	f.Fuzz(func(t *testing.T, key string, genuine bool) {
		payload := hookPayload("evt_1", "x", "{}")
		secret := hookSecret
		if !genuine {
			secret = "whsec_other"
		}
		_, err := hooks.Parse(payload, http.Header{key: {hookMAC(secret, payload)}})
		named := strings.EqualFold(key, mid.SignatureHeader)
		switch {
		case !named && !errors.Is(err, mid.ErrMissingSignature),
			named && genuine && err != nil,
			named && !genuine && !errors.Is(err, mid.ErrInvalidSignature):
			t.Fatalf("%q, genuine %t: %v", key, genuine, err)
		}
	})
}
