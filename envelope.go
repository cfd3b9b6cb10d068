package mid

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"unicode/utf8"

	"github.com/mobid-io/mid-go/internal/jsonwire"
	"github.com/mobid-io/mid-go/internal/transport"
)

// envelope is the wrapper of every answer.
type envelope struct {
	Success bool      `json:"success"`
	Error   wireError `json:"error"`
	Meta    struct {
		RequestID wireText `json:"request_id"`
		Timestamp wireText `json:"timestamp"`
	} `json:"meta"`
	// Description goes with the bare form of an error (RFC 6749 section 5.2).
	Description wireText `json:"error_description"`
}

// answer is an envelope with its data, which is nil if there was none.
type answer[T any] struct {
	envelope
	Data *T `json:"data"`
}

func (a *answer[T]) head() *envelope { return &a.envelope }
func (a *answer[T]) empty() bool     { return a.Data == nil }
func (a *answer[T]) finish() error   { return nil }

// target is where a success is decoded.
type target interface {
	head() *envelope
	empty() bool   // no data came
	finish() error // called when the answer is known to be a success
}

// wireText is a text that fails no answer: what is no JSON string is left out.
type wireText string

func (t *wireText) UnmarshalJSON(data []byte) error {
	switch {
	case len(data) < 2 || data[0] != '"':
		return nil
	case bytes.IndexByte(data, '\\') < 0 && utf8.Valid(data):
		*t = wireText(data[1 : len(data)-1]) // nothing to unescape
		return nil
	}
	return json.Unmarshal(data, (*string)(t))
}

// wireError is the contract's error object, or the bare code of RFC 6749.
type wireError struct {
	Code    ErrorCode    `json:"code"`
	Message string       `json:"message"`
	Details []FieldError `json:"details"`
}

func (e *wireError) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, &e.Code)
	}
	type plain wireError
	// What does not fit is left out: a half-understood error is better than
	// none.
	_ = json.Unmarshal(data, (*plain)(e))
	return nil
}

func (e *wireError) present() bool { return e.Code != "" || e.Message != "" }

// isSuccess reports whether an answer has a status of success.
func isSuccess(resp *http.Response) bool { return resp.StatusCode >= 200 && resp.StatusCode <= 299 }

// decode reads an answer into its envelope, and a success into the target too;
// a nil target expects no data. The error says what is wrong with the answer,
// without quoting it. The envelope then holds what could be read all the same.
func decode(resp *http.Response, into target) (*envelope, error) {
	data := transport.Data(resp)
	env, err := unmarshal(resp, data, into)
	if env.Meta.RequestID == "" {
		env.Meta.RequestID = wireText(resp.Header.Get("X-Request-Id"))
	}
	data = bytes.TrimSpace(data)
	switch {
	case len(data) == 0 && into == nil:
		return env, nil
	case len(data) == 0:
		return env, errors.New("the answer is empty")
	case err != nil && data[0] == '<':
		return env, errors.New("the answer is a web page, not JSON; check the base URL, or a proxy on the way")
	case err != nil:
		return env, errors.New("the answer is not what was expected: " + jsonwire.Trouble(err, into))
	case into != nil && into.empty():
		return env, errors.New("the answer has no data")
	}
	return env, nil
}

// unmarshal returns package json's error about the target or, without one,
// about the envelope.
func unmarshal(resp *http.Response, data []byte, into target) (*envelope, error) {
	var trouble error
	if into != nil && isSuccess(resp) {
		env := into.head()
		env.Success = true
		if trouble = jsonwire.Unmarshal(data, into); trouble == nil {
			return env, nil
		}
	}
	// Trouble with the data may have hidden what follows it.
	env := &envelope{Success: true}
	if err := json.Unmarshal(data, env); trouble == nil {
		trouble = err
	}
	return env, trouble
}

// ownAnswer is the answer to a [Client.Call]: its data is decoded into the
// caller's value once the answer is known to be a success.
type ownAnswer struct {
	answer[json.RawMessage]
	out any
}

func (a *ownAnswer) finish() error {
	if err := jsonwire.Unmarshal(*a.Data, a.out); err != nil {
		return fmt.Errorf("the answer's data does not fit into %T: %s", a.out, jsonwire.Trouble(err, a.out))
	}
	return nil
}
