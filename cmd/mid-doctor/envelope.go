package main

import (
	"encoding/json"
	"reflect"
)

// The envelope of the vendor's other pages, of a success and of a failure.
type (
	codeSuccess struct {
		Error   bool            `json:"error"`
		Code    any             `json:"code"` // a text or, on some pages, the status
		Message string          `json:"message"`
		Data    json.RawMessage `json:"data"`
	}
	codeFailure struct {
		Error      bool            `json:"error"`
		Code       any             `json:"code"`
		Message    string          `json:"message"`
		RetryAfter int64           `json:"retry_after"`
		Details    []wireDetail    `json:"details"`
		Data       json.RawMessage `json:"data"`
	}
)

var (
	otherSuccess = schemaOf[codeSuccess]("code envelope")
	otherFailure = schemaOf[codeFailure]("code envelope of a failure")
)

// success compares the envelope of a success.
func (c *check) success(body json.RawMessage) { c.envelope(body, successAnswer, otherSuccess) }

// failure compares the answer of a failure.
func (c *check) failure(body json.RawMessage) { c.envelope(body, failureAnswer, otherFailure) }

// envelope compares an envelope with the contract's, or with that of the
// vendor's other pages where it is that.
func (c *check) envelope(body json.RawMessage, contract, other *schema) {
	var object members
	_ = json.Unmarshal(body, &object) // compare says what is no object
	_, success := object["success"]
	_, code := object["code"]
	if success || !code && kindOfJSON(object["error"]) != "bool" {
		c.Fields = compare(contract, body, reflect.Value{})
		return
	}
	c.Envelope = "error, code, message, data"
	fields := compare(other, body, reflect.Value{})
	for i := range fields {
		if fields[i].Verdict == asContract {
			fields[i].Verdict = otherSpelling
		}
	}
	c.Fields = fields
}

// token compares the answer of the token endpoint, which may come without an
// envelope (RFC 6749 section 5.1).
func (c *check) token(body json.RawMessage) {
	var object members
	_ = json.Unmarshal(body, &object) // success says what is no object
	if locate(tokenAnswer, &tokenAnswer.fields[0], object) != "" {
		c.Envelope = "none, as RFC 6749 has it"
		bare := field{Name: "data", Type: "object", Verdict: otherSpelling}
		c.Fields = append([]field{bare}, compare(tokenAnswer, body, reflect.Value{})...)
		return
	}
	c.success(body)
	if data, ok := object["data"]; ok {
		c.Fields = append(c.Fields, compare(tokenAnswer, data, reflect.Value{})...)
	}
}
