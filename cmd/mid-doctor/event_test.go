package main

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// judged is what the doctor says of a body that is signed.
func judged(t *testing.T, body string) check {
	t.Helper()
	webhooks, err := mid.NewWebhookService(mid.WebhookConfig{Secrets: []string{"the account's"}})
	require.NoError(t, err)
	header := http.Header{mid.SignatureHeader: {webhooks.Sign([]byte(body))}}
	return judgeEvent(webhooks, delivery{[]byte(body), header})
}

func TestShapesOfEvents(t *testing.T) {
	now := time.Now()
	session := `{"id":"sess_1","status":"approved","intent":"login","qr_code":"data:","qr_data":"mid://","created_at":"2026-01-02T03:04:05Z","expires_at":"2026-01-02T03:09:05Z"}`
	tests := map[string]struct {
		body    string
		verdict verdict
		fields  map[string]verdict
	}{
		"the contract's": {
			fmt.Sprintf(`{"id":"evt_1","type":"authentication.completed","timestamp":%d,"data":%s}`, now.UnixMilli(), session),
			asContract, map[string]verdict{"timestamp": asContract, "data.expires_at": asContract},
		},
		"a text as its timestamp": {
			fmt.Sprintf(`{"id":"evt_1","type":"authentication.completed","timestamp":%q,"data":%s}`, now.Format(time.RFC3339), session),
			otherSpelling, map[string]verdict{"id": asContract, "timestamp": otherSpelling},
		},
		"the other shape": {
			fmt.Sprintf(`{"sessionId":"sess_1","status":"approved","timestamp":%q,"data":{}}`, now.Format(time.RFC3339)),
			otherSpelling, map[string]verdict{"session_id": otherSpelling, "status": otherSpelling, "timestamp": otherSpelling},
		},
		"no id": {
			fmt.Sprintf(`{"type":"authentication.completed","timestamp":%d,"data":%s}`, now.UnixMilli(), session),
			unreadable, map[string]verdict{"id": missing, "type": asContract},
		},
		"no timestamp": {
			`{"id":"evt_1","type":"authentication.completed","data":` + session + `}`,
			unreadable, map[string]verdict{"id": asContract, "timestamp": missing},
		},
		"no JSON": {`<event/>`, unreadable, map[string]verdict{"Event": missing}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := judged(t, test.body)
			assert.Equal(t, test.verdict, c.Verdict)
			for field, want := range test.fields {
				assert.Equal(t, want, c.verdicts()[field], field)
			}
		})
	}
}
