package mid_test

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// The client's logger serves the webhooks too, unless they have one of their
// own.
func TestWebhooksUseTheClientsLogger(t *testing.T) {
	var clients, own bytes.Buffer
	logger := func(to *bytes.Buffer) *slog.Logger {
		return slog.New(slog.NewTextHandler(to, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	for name, tt := range map[string]struct {
		cfg   mid.WebhookConfig
		told  *bytes.Buffer
		other *bytes.Buffer
	}{
		"the client's": {mid.WebhookConfig{}, &clients, &own},
		"their own":    {mid.WebhookConfig{Logger: logger(&own)}, &own, &clients},
	} {
		t.Run(name, func(t *testing.T) {
			clients.Reset()
			own.Reset()
			tt.cfg.Secrets = []string{hookSecret}
			c := new(api).client(t, mid.WithLogger(logger(&clients)), mid.WithWebhooks(tt.cfg))
			deliverHook(c.Webhooks.Handler(mid.EventHandlers{}), hookRequest(hookPayload("evt_1", "x", "{}")))
			require.Contains(t, tt.told.String(), "outcome=dropped event.id=evt_1")
			require.Empty(t, tt.other.String())
		})
	}
}
