package mid

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/mobid-io/mid-go/internal/jsonwire"
)

// EventType says what happened. The set is open: types that the SDK does not
// know reach [EventHandlers.Other].
type EventType string

// The published event types. Each is sent to the callback URL of the session or
// verification when its status becomes final.
const (
	EventAuthenticationCompleted EventType = "authentication.completed" // its data is an AuthSession
	EventVerificationCompleted   EventType = "verification.completed"   // its data is a Verification
	EventSigningCompleted        EventType = "signing.completed"        // its data is a SigningSession
)

// Event is one event that MID delivered, with a body like
//
//	{"id": "evt_1", "type": "signing.completed", "timestamp": 1790000000000, "data": {…}}
//
// whose timestamp is a number, in Unix milliseconds. Names in camelCase and other
// forms of the timestamp are read as well. It formats as its id and type only,
// because its data may be personal.
//
// An event may also come in the shape of the vendor's other pages:
//
//	{"sessionId": "sess_1", "status": "approved", "timestamp": 1790000000000, "data": {…}}
//
// Such an event has the type session.status, verification.status or
// signature_request.status, and reaches [EventHandlers.Other]. Its ID is made of
// the id of the session and the status, like sess_1:approved. Its Data is the whole
// body, from which AuthSession, Verification and SigningSession read the id and the
// status; get the rest from MID, such as with [AuthenticationService.GetSession].
type Event struct {
	// ID is the same in every delivery of the event. It is never empty.
	ID string
	// Type says what happened. It is never empty.
	Type EventType
	// Timestamp is when this delivery was sent, to the millisecond, in UTC.
	Timestamp time.Time
	// ClientID is the X-Client-Id header, or empty. The signature does not cover
	// it, so base no decision on it.
	ClientID string
	// Data is the session or verification as JSON, or nil if the event has no
	// data. It is a copy that the caller may keep. Personal data.
	Data json.RawMessage
}

// Format writes the event's id and type, whatever the verb.
func (e Event) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "mid.Event{%s %s}", e.ID, e.Type) }

// LogValue shows the event's id and type only.
func (e Event) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", e.ID), slog.String("type", string(e.Type)))
}

// AuthSession decodes Data as an authentication session. It returns an error if
// Data is absent or null, does not decode or has no id, or if Type is one of
// another kind of data. The error quotes nothing of the data.
func (e *Event) AuthSession() (*AuthSession, error) {
	return eventData[AuthSession](e, EventAuthenticationCompleted, kindAuthSession)
}

// Verification decodes Data as a verification. Errors are as for AuthSession.
func (e *Event) Verification() (*Verification, error) {
	return eventData[Verification](e, EventVerificationCompleted, kindVerification)
}

// SigningSession decodes Data as a signing session. Errors are as for
// AuthSession.
func (e *Event) SigningSession() (*SigningSession, error) {
	return eventData[SigningSession](e, EventSigningCompleted, kindSigningSession)
}

// wireEvent is an event as it is sent.
type wireEvent struct {
	ID        string          `json:"id"`
	Type      EventType       `json:"type"`
	Timestamp int64           `json:"timestamp"`
	Data      json.RawMessage `json:"data"`

	event Event // beside what it is made of: both are on the heap
}

// read reads an event in the usual spelling like json.Unmarshal, but in half the
// time, because its data is only found and not parsed again. It reports whether the
// event is complete.
func (w *wireEvent) read(payload []byte) bool {
	if !json.Valid(payload) {
		return false
	}
	var id, kind wireText
	_ = id.UnmarshalJSON(jsonwire.Member(payload, "id"))
	_ = kind.UnmarshalJSON(jsonwire.Member(payload, "type"))
	w.ID, w.Type = string(id), EventType(kind)
	w.Timestamp, _ = strconv.ParseInt(string(jsonwire.Member(payload, "timestamp")), 10, 64)
	w.Data = bytes.Clone(jsonwire.Member(payload, "data"))
	return w.complete()
}

// complete reports whether the event has all but its data. A number before 1973 is
// not a time in milliseconds.
func (w *wireEvent) complete() bool {
	return w.ID != "" && w.Type != "" && w.Timestamp >= 1e11
}

// decode decodes an event in any spelling.
func (w *wireEvent) decode(payload []byte) error {
	*w = wireEvent{}
	err := jsonwire.Unmarshal(payload, w)
	if err != nil || !w.complete() {
		if jsonwire.Unmarshal(foldEvent(payload), w) != nil && err != nil {
			return undecodable("webhook event", err, w)
		}
	}
	return nil
}

// subject returns the id of the session or verification that the event is about,
// or "" if its data has no id.
func (e *Event) subject() string {
	var data struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(e.Data, &data) == nil && data.ID != "" {
		return data.ID
	}
	return foldSubject(e.Data)
}

// eventData accepts event types that the SDK does not know, because only the caller
// knows what their data is.
func eventData[T any](e *Event, want EventType, kind resourceKind) (*T, error) {
	switch e.Type {
	case EventAuthenticationCompleted, EventVerificationCompleted, EventSigningCompleted:
		if e.Type != want {
			return nil, fmt.Errorf("mid: a %s event was read as %s", e.Type, want)
		}
	}
	if len(e.Data) == 0 {
		return nil, errors.New("mid: event data is missing")
	}
	data := new(T)
	err := jsonwire.Unmarshal(e.Data, data)
	if err == nil && missing(data, kind) == "" {
		return data, nil
	}
	data = new(T)
	if folded := jsonwire.Unmarshal(foldResource(e.Data, kind), data); err == nil {
		err = folded
	}
	if err != nil {
		return nil, undecodable("event data", err, data)
	}
	if id, _ := any(data).(identified).identity(); id == "" { // which is so for null, too
		return nil, errors.New("mid: event data has no id")
	}
	return data, nil
}

// undecodable quotes nothing of what could not be decoded.
func undecodable(what string, err error, into any) error {
	return fmt.Errorf("mid: %s does not decode: %s", what, jsonwire.Trouble(err, into))
}
