package mid_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	mid "github.com/mobid-io/mid-go"
)

// hookSession is a typical event's data: an approved session of 600 bytes.
const hookSession = `{"id":"sess_abc123def456","status":"approved","intent":"login","recipient":"+14155550123",` +
	`"qr_code":"data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABAQMAAAAl21bKAAAAA1BMVEUAAACnej3aAAAAC0lEQVQI12NgAAIAAAUAAeImBZsAAAAASUVORK5CYII=",` +
	`"qr_data":"mid://auth?session=sess_abc123def456","user_id":"user_8213","method":"face","created_at":"2026-03-01T12:00:00Z",` +
	`"expires_at":"2026-03-01T12:05:00Z","completed_at":"2026-03-01T12:00:41Z","metadata":{"order":"1871"}}`

func receiveSession(hooks *mid.WebhookService, payload []byte, header http.Header) error {
	event, err := hooks.Parse(payload, header)
	if err == nil {
		_, err = event.AuthSession()
	}
	return err
}

func BenchmarkWebhookParse(b *testing.B) {
	hooks := newHooks(b, mid.WebhookConfig{Tolerance: time.Hour})
	payload := hookPayload("evt_abc123", mid.EventAuthenticationCompleted, hookSession)
	header := hookHeader(payload)
	b.Run("sdk", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = receiveSession(hooks, payload, header)
		}
	})
	b.Run("bare", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var event struct {
				ID        string          `json:"id"`
				Type      string          `json:"type"`
				Timestamp int64           `json:"timestamp"`
				Data      mid.AuthSession `json:"data"`
			}
			want, _ := hex.DecodeString(header.Get(mid.SignatureHeader))
			mac := hmac.New(sha256.New, []byte(hookSecret))
			mac.Write(payload)
			_ = hmac.Equal(want, mac.Sum(nil))
			_ = json.Unmarshal(payload, &event)
		}
	})
}
