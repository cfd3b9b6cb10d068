package midtest

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/mobid-io/mid-go"
)

// Envelope is the shape that answers are wrapped in, for [WithEnvelope].
type Envelope int

const (
	// EnvelopeSuccess is the contract's: success, data or error, and meta.
	EnvelopeSuccess Envelope = iota
	// EnvelopeCode is that of the vendor's other pages: error, a bool, with code,
	// message and data. An error has its retry_after and details beside them.
	// There is no meta; the request's id is in the X-Request-Id header only.
	EnvelopeCode
)

// dialect is how the server spells what it answers and what it expects. Its
// zero value is the contract's.
type dialect struct {
	names    mid.FieldNames
	envelope Envelope
}

type successEnvelope struct {
	Success bool            `json:"success"`
	Data    json.RawMessage `json:"data,omitempty"`
	Error   *problem        `json:"error,omitempty"`
	Meta    meta            `json:"meta"`
}

type meta struct {
	RequestID string    `json:"request_id"`
	Timestamp time.Time `json:"timestamp"`
}

type codeEnvelope struct {
	Error bool `json:"error"`
	problem
	Data json.RawMessage `json:"data,omitempty"`
}

// success is the answer with a resource.
func (d dialect) success(requestID string, status int, resource any) (*answer, error) {
	data, err := marshalResource(d.names, resource)
	if err != nil {
		return nil, err
	}
	return d.answer(requestID, status, data, nil)
}

// failure is the answer with an error.
func (d dialect) failure(requestID string, err error) *answer {
	var p *problem
	if !errors.As(err, &p) {
		p = newProblem(mid.CodeInternalError, err.Error())
	}
	a, _ := d.answer(requestID, p.status, nil, p) // texts and numbers always marshal
	a.header = p.header
	return a
}

// answer puts data, or a problem, into the envelope.
func (d dialect) answer(requestID string, status int, data json.RawMessage, p *problem) (*answer, error) {
	var envelope any
	switch {
	case d.envelope == EnvelopeSuccess:
		envelope = successEnvelope{
			Success: p == nil,
			Data:    data,
			Error:   p,
			Meta:    meta{RequestID: requestID, Timestamp: now()},
		}
	case p == nil:
		envelope = codeEnvelope{problem: problem{Code: "ok", Message: "OK"}, Data: data}
	default:
		envelope = codeEnvelope{Error: true, problem: *p}
	}
	body, err := marshal(d.names, envelope)
	if err != nil {
		return nil, err
	}
	return &answer{status: status, requestID: requestID, contentType: jsonType, body: body}, nil
}
