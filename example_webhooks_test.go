package mid_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	mid "github.com/mobid-io/mid-go"
)

// deliveryFrom makes the request that MID would send just now, for the examples
// below.
func deliveryFrom(hooks *mid.WebhookService, id string, typ mid.EventType, data string) (*http.Request, []byte) {
	payload := fmt.Appendf(nil, `{"id":%q,"type":%q,"timestamp":%d,"data":%s}`, id, typ, time.Now().UnixMilli(), data)
	r := httptest.NewRequest(http.MethodPost, "https://shop.example.com/mid/events", bytes.NewReader(payload))
	r.Header.Set(mid.SignatureHeader, hooks.Sign(payload))
	r.Header.Set("X-Client-Id", "client_bluebird")
	return r, payload
}

func ExampleNewWebhookService() {
	hooks, err := mid.NewWebhookService(mid.WebhookConfig{
		Secrets:   []string{"whsec_bluebird"},
		Tolerance: 2 * time.Minute,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	http.Handle("POST /mid/events", hooks.Handler(mid.EventHandlers{}))
	fmt.Println(hooks)
	// Output: mid.WebhookService{[REDACTED]}
}

// While a secret is replaced, events signed with either one are accepted.
func ExampleNewWebhookService_rotation() {
	before, _ := mid.NewWebhookService(mid.WebhookConfig{Secrets: []string{"whsec_old"}})
	during, _ := mid.NewWebhookService(mid.WebhookConfig{Secrets: []string{"whsec_new", "whsec_old"}})
	after, _ := mid.NewWebhookService(mid.WebhookConfig{Secrets: []string{"whsec_new"}})

	payload := []byte(`{"id":"evt_1"}`)
	fmt.Println("during:", during.Verify(payload, before.Sign(payload)))
	fmt.Println("after:", after.Verify(payload, before.Sign(payload)))
	// Output:
	// during: <nil>
	// after: mid: webhook signature is invalid: it was made over other bytes or with another secret
}

func ExampleWebhookService_Verify() {
	hooks, _ := mid.NewWebhookService(mid.WebhookConfig{Secrets: []string{"whsec_bluebird"}})

	payload := []byte(`{"id":"evt_1"}`)
	signature := "10db0086f5739d4892484984a006140c54ff5054d2410c12d602191e0c6c4c6c"
	fmt.Println(hooks.Verify(payload, signature))

	err := hooks.Verify([]byte(`{"id":"evt_2"}`), signature)
	fmt.Println(errors.Is(err, mid.ErrInvalidSignature))
	// Output:
	// <nil>
	// true
}

// Parse is for receivers that get the body and the headers from elsewhere than
// net/http, such as from a queue.
func ExampleWebhookService_Parse() {
	hooks, _ := mid.NewWebhookService(mid.WebhookConfig{Secrets: []string{"whsec_bluebird"}})
	r, payload := deliveryFrom(hooks, "evt_1", mid.EventSigningCompleted, `{"id":"sign_7","status":"completed"}`)

	event, err := hooks.Parse(payload, r.Header)
	if err != nil {
		fmt.Println(err)
		return
	}
	session, err := event.SigningSession()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(event.ID, session.ID, session.Status)
	// Output: evt_1 sign_7 completed
}

func ExampleWebhookService_ParseRequest() {
	hooks, _ := mid.NewWebhookService(mid.WebhookConfig{Secrets: []string{"whsec_bluebird"}})
	receive := func(w http.ResponseWriter, r *http.Request) {
		event, err := hooks.ParseRequest(r)
		if err != nil {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		fmt.Println(event.ID, event.Type, event.ClientID)
		w.WriteHeader(http.StatusNoContent)
	}

	genuine, _ := deliveryFrom(hooks, "evt_1", mid.EventVerificationCompleted, `{"id":"ver_3"}`)
	receive(httptest.NewRecorder(), genuine)

	forged, _ := deliveryFrom(hooks, "evt_2", mid.EventVerificationCompleted, `{"id":"ver_4"}`)
	forged.Header.Del(mid.SignatureHeader)
	answer := httptest.NewRecorder()
	receive(answer, forged)
	fmt.Println(answer.Code)
	// Output:
	// evt_1 verification.completed client_bluebird
	// 401
}

// Handler verifies, drops duplicates and answers. What is left to the application
// is what to do with an event.
func ExampleWebhookService_Handler() {
	hooks, _ := mid.NewWebhookService(mid.WebhookConfig{Secrets: []string{"whsec_bluebird"}})
	handler := hooks.Handler(mid.EventHandlers{
		AuthenticationCompleted: func(_ context.Context, _ *mid.Event, session *mid.AuthSession) error {
			fmt.Println("session", session.ID, "is", session.Status)
			return nil // an error would have MID deliver the event again
		},
		Other: func(_ context.Context, event *mid.Event) error {
			fmt.Println("not interested in", event.Type)
			return nil
		},
	})

	// The second delivery of evt_1 is acknowledged without running the handler.
	for _, id := range []string{"evt_1", "evt_1"} {
		delivery, _ := deliveryFrom(hooks, id, mid.EventAuthenticationCompleted, `{"id":"sess_5","status":"approved"}`)
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, delivery)
		fmt.Println(answer.Code)
	}
	delivery, _ := deliveryFrom(hooks, "evt_2", "device.enrolled", `{}`)
	handler.ServeHTTP(httptest.NewRecorder(), delivery)
	// Output:
	// session sess_5 is approved
	// 204
	// 204
	// not interested in device.enrolled
}

// Sign lets a test of a receiver send what MID would send.
func ExampleWebhookService_Sign() {
	hooks, _ := mid.NewWebhookService(mid.WebhookConfig{Secrets: []string{"whsec_bluebird"}})
	server := httptest.NewServer(hooks.Handler(mid.EventHandlers{}))
	defer server.Close()

	payload := fmt.Appendf(nil, `{"id":"evt_1","type":"signing.completed","timestamp":%d,"data":{"id":"sign_7"}}`, time.Now().UnixMilli())
	delivery, _ := http.NewRequest(http.MethodPost, server.URL, bytes.NewReader(payload))
	delivery.Header.Set(mid.SignatureHeader, hooks.Sign(payload))
	answer, err := http.DefaultClient.Do(delivery)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer answer.Body.Close()
	fmt.Println(answer.Status)
	// Output: 204 No Content
}

func ExampleEvent_AuthSession() {
	hooks, _ := mid.NewWebhookService(mid.WebhookConfig{Secrets: []string{"whsec_bluebird"}})
	delivery, _ := deliveryFrom(hooks, "evt_1", mid.EventAuthenticationCompleted,
		`{"id":"sess_5","status":"approved","user_id":"user_ada","method":"fingerprint"}`)

	event, err := hooks.ParseRequest(delivery)
	if err != nil {
		fmt.Println(err)
		return
	}
	session, err := event.AuthSession()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(session.UserID, session.Status, session.Method)
	// Output: user_ada approved fingerprint
}
