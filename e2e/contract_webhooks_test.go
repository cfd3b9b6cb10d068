package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

// event tells what the contract has against a delivery and its answer. The
// event's data is held to the schema of its type, which OpenAPI can't say.
func (c *contract) event(x *exchange) error {
	item := c.doc.Webhooks["event"]
	in := &openapi3filter.RequestValidationInput{
		Request: &http.Request{
			Method:        x.method,
			URL:           x.url,
			Header:        x.header.Clone(),
			Body:          io.NopCloser(bytes.NewReader(x.body)),
			ContentLength: int64(len(x.body)),
		},
		Route:   &routers.Route{Spec: c.doc, PathItem: item, Method: http.MethodPost, Operation: item.Post},
		Options: c.options(),
	}
	if err := openapi3filter.ValidateRequest(context.Background(), in); err != nil {
		return err
	}
	if err := openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in,
		Status:                 x.status,
		Header:                 x.answerHeader,
		Body:                   io.NopCloser(bytes.NewReader(x.answer)),
		Options:                c.options(),
	}); err != nil {
		return err
	}
	return c.eventData(x.body)
}

func (c *contract) eventData(body []byte) error {
	var event struct {
		Type string
		Data any
	}
	if err := json.Unmarshal(body, &event); err != nil {
		return err
	}
	name, ok := map[string]string{
		"authentication.completed": "AuthSession",
		"verification.completed":   "Verification",
		"signing.completed":        "SigningSession",
	}[event.Type]
	if !ok {
		return fmt.Errorf("event type %q is not published", event.Type)
	}
	return c.doc.Components.Schemas[name].Value.VisitJSON(event.Data, formats, openapi3.EnableJSONSchema2020())
}

// receiver records what the SDK's handler was sent, and its answers.
type receiver struct {
	handler http.Handler
	seen    chan *exchange
}

func newReceiver(handler http.Handler) *receiver {
	return &receiver{handler, make(chan *exchange, 100)}
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body) // a body cut short fails the signature
	req.Body = io.NopCloser(bytes.NewReader(body))
	rec := httptest.NewRecorder()
	r.handler.ServeHTTP(rec, req)
	r.seen <- &exchange{
		method: req.Method, url: req.URL, header: req.Header, body: body,
		status: rec.Code, answerHeader: rec.Header(), answer: rec.Body.Bytes(),
	}
	maps.Copy(w.Header(), rec.Header())
	w.WriteHeader(rec.Code)
	_, _ = w.Write(rec.Body.Bytes()) // it fails only if the sender is gone
}

func (r *receiver) next(t *testing.T) *exchange {
	t.Helper()
	select {
	case x := <-r.seen:
		return x
	case <-time.After(10 * time.Second):
		require.FailNow(t, "no event was delivered")
		return nil
	}
}

// TestContractWebhooks validates every event that there is, over a socket.
func TestContractWebhooks(t *testing.T) {
	c, err := loadContract()
	require.NoError(t, err)
	srv := newMID(t)
	recv := newReceiver(srv.Client().Webhooks.Handler(mid.EventHandlers{}))
	callbacks := httptest.NewServer(recv)
	t.Cleanup(callbacks.Close)
	client, ctx := srv.Client(), bounded(t)

	for name, end := range map[string]func(w *world) error{
		"approved": func(w *world) error { return srv.Approve(w.auth.ID, "user_1") },
		"rejected": func(w *world) error { return srv.Reject(w.auth.ID) },
		"expired":  func(w *world) error { return srv.Expire(w.auth.ID) },
		"verified": func(w *world) error { return srv.CompleteVerification(w.verification.ID, midtest.Outcome{}) },
		"refused": func(w *world) error {
			return srv.CompleteVerification(w.verification.ID, midtest.Outcome{Status: mid.VerificationRejected})
		},
		"too late":  func(w *world) error { return srv.Expire(w.verification.ID) },
		"declined":  func(w *world) error { return srv.Decline(w.signing.ID, signers[1].Email) },
		"forgotten": func(w *world) error { return srv.Expire(w.signing.ID) },
		"signed": func(w *world) error {
			require.NoError(t, srv.Sign(w.signing.ID, signers[0].Email))
			return srv.Sign(w.signing.ID, signers[1].Email)
		},
	} {
		w := newWorld(t, srv)
		auth, verification, signing := w.authParams(), w.verificationParams(), w.signingParams()
		auth.CallbackURL, verification.CallbackURL, signing.CallbackURL = callbacks.URL, callbacks.URL, callbacks.URL
		w.auth, err = client.Authentication.CreateSession(ctx, auth)
		require.NoError(t, err)
		w.verification, err = client.Identity.StartVerification(ctx, verification)
		require.NoError(t, err)
		w.signing, err = client.Signing.CreateSession(ctx, signing)
		require.NoError(t, err)
		require.NoError(t, end(w), name)
		x := recv.next(t)
		assert.Equal(t, 204, x.status, name)
		require.NoError(t, c.event(x), "%s: %s", name, x.body)
	}
}

// TestContractPlantedEvents makes sure that bad deliveries would be seen.
func TestContractPlantedEvents(t *testing.T) {
	c, err := loadContract()
	require.NoError(t, err)
	srv := newMID(t)
	recv := newReceiver(srv.Client().Webhooks.Handler(mid.EventHandlers{}))
	srv.HandleCallbacks(recv)
	w := newWorld(t, srv)
	require.NoError(t, srv.Approve(w.auth.ID, ""))
	good := recv.next(t)
	require.NoError(t, c.event(good))

	for _, p := range []plant{
		{"no signature", "", withHeader("X-Webhook-Signature", ""), "X-Webhook-Signature"},
		{"signature in upper case", "", func(_ *testing.T, x *exchange) {
			x.header.Set("X-Webhook-Signature", "AB"+x.header.Get("X-Webhook-Signature")[2:])
		}, "X-Webhook-Signature"},
		{"no client id", "", withHeader("X-Client-Id", ""), "X-Client-Id"},
		{"another media type", "", withHeader("Content-Type", "text/plain"), "Content-Type"},
		{"no id", "", inBody(`"id":"evt_`, `"event":"evt_`), "id"},
		{"undeclared field", "", inBody(`{"id":"evt_`, `{"attempt":1,"id":"evt_`), "attempt"},
		{"time as text", "", inBody(`"timestamp":`, `"timestamp":"2026-01-01","was":`), "timestamp"},
		{"no data", "", inBody(`"data":{`, `"payload":{`), "data"},
		{"data of the wrong type", "", inBody(`"status":"approved"`, `"status":1`), "status"},
		{"data of another event", "", inBody(`"authentication.completed"`, `"signing.completed"`), "data"},
		{"type that is not published", "", inBody(`"authentication.completed"`, `"authentication.begun"`), "not published"},
		{"undeclared status", "", withStatus(http.StatusTeapot), "status"},
	} {
		t.Run(p.name, func(t *testing.T) {
			x := good.clone()
			p.change(t, x)
			if p.reason == "data" {
				require.Error(t, c.event(x))
				return
			}
			require.ErrorContains(t, c.event(x), p.reason)
		})
	}
}
