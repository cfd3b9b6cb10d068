package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"reflect"

	"github.com/mobid-io/mid-go"
)

// delivery is what came to the local address.
type delivery struct {
	payload []byte
	header  http.Header
}

// shapedEvent is an event in the shape of the vendor's other pages, which name
// the session in place of an id and a type.
type shapedEvent struct {
	SessionID string          `json:"session_id"`
	Status    string          `json:"status"`
	Timestamp int64           `json:"timestamp"`
	Data      json.RawMessage `json:"data"`
}

var otherEvent = schemaOf[shapedEvent]("event of the other shape")

// judgeEvent verifies an event and compares it with the contract.
func judgeEvent(webhooks *mid.WebhookService, got delivery) check {
	c := check{Name: checkEvent, Text: "its signature is right"}
	event, err := webhooks.Parse(got.payload, got.header)
	switch {
	case errors.Is(err, mid.ErrInvalidSignature):
		c.Verdict, c.Text = failed, "its signature was made with neither MID_WEBHOOK_SECRET nor, without that, MID_CLIENT_SECRET"
		return c
	case errors.Is(err, mid.ErrStaleEvent):
		c.Verdict = unreadable
		c.Text += ", but its timestamp is missing or too far from this machine's clock"
	case err != nil:
		c.Verdict = unreadable
		c.Text += ", but the SDK does not read it"
	}
	c.event(got.payload, event)
	c.finish()
	return c
}

// event compares an event, which is nil if the SDK does not read it.
func (c *check) event(payload json.RawMessage, event *mid.Event) {
	var object members
	_ = json.Unmarshal(payload, &object) // compare says what is no object
	if _, typed := object["type"]; !typed && locate(otherEvent, &otherEvent.fields[0], object) != "" {
		c.Envelope = "sessionId, status, timestamp, data"
		c.Fields = compare(otherEvent, payload, decodedEvent(event, func() any {
			return shapedEvent{event.ID, string(event.Type), event.Timestamp.UnixMilli(), event.Data}
		}))
		for i := range c.Fields {
			if c.Fields[i].Verdict == asContract {
				c.Fields[i].Verdict = otherSpelling
			}
		}
		return
	}
	c.Fields = compare(eventBody, payload, decodedEvent(event, func() any {
		return wireEvent{event.ID, string(event.Type), event.Timestamp.UnixMilli(), event.Data}
	}))
	if event == nil || event.Type != mid.EventAuthenticationCompleted {
		return
	}
	session, _ := event.AuthSession() // what it does not read is nil
	for _, f := range compare(authSession, event.Data, valueOf(session)) {
		f.Name = "data." + f.Name
		c.Fields = append(c.Fields, f)
	}
}

// decodedEvent is the zero Value for a nil event.
func decodedEvent(event *mid.Event, decoded func() any) reflect.Value {
	if event == nil {
		return reflect.Value{}
	}
	return reflect.ValueOf(decoded())
}
