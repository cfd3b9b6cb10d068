package mid

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/mobid-io/mid-go/internal/jsonwire"
	"github.com/mobid-io/mid-go/internal/transport"
)

// envelope is the wrapper of every answer.
type envelope struct {
	Success bool      `json:"success"`
	Error   wireError `json:"error"`
	Meta    struct {
		RequestID metaText `json:"request_id"`
		Timestamp metaText `json:"timestamp"`
	} `json:"meta"`
	// Description goes with the bare form of an error (RFC 6749 section 5.2).
	Description wireText `json:"error_description"`
	valid       bool     // the answer is known to be JSON
}

// answer is an envelope with its data, which is nil if the envelope has no data.
type answer[T any] struct {
	envelope
	Data *T `json:"data"`
	kind resourceKind
}

func (a *answer[T]) head() *envelope     { return &a.envelope }
func (a *answer[T]) holds() resourceKind { return a.kind }
func (a *answer[T]) finish() error       { return nil }

func (a *answer[T]) reset() {
	a.envelope, a.Data = envelope{Success: true}, nil
}

func (a *answer[T]) lacks() string {
	if a.Data == nil {
		return "data"
	}
	return missing(a.Data, a.kind)
}

// identified is data that has an id and, if its state can change, a status.
type identified interface{ identity() (id, status string) }

// missing names the first field that data must have and does not. A status in
// capitals counts as missing, because the contract has no such status.
func missing(data any, kind resourceKind) string {
	v, ok := data.(identified)
	if !ok {
		return ""
	}
	id, status := v.identity()
	switch names := needs[kind]; {
	case id == "":
		return names[0]
	case len(names) > 1 && (status == "" || isUpper(status)):
		return names[1]
	}
	return ""
}

// target is where a success is decoded.
type target interface {
	head() *envelope
	holds() resourceKind
	reset()        // undoes what was decoded
	lacks() string // names what must be there and is not, or is ""
	finish() error // is called when the answer is known to be a success
}

// wireText is a text that fails no answer: anything but a JSON string is ignored.
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

// metaText is a wireText that most calls have no use for: it is copied into
// room of its own, and made a string only when it is asked for.
type metaText struct {
	text []byte
	room [48]byte
}

func (t *metaText) UnmarshalJSON(data []byte) error {
	if len(data) > 1 && bytes.IndexByte(data, '\\') < 0 && data[0] == '"' && utf8.Valid(data) {
		t.text = append(t.room[:0], data[1:len(data)-1]...)
		return nil
	}
	var text wireText
	err := text.UnmarshalJSON(data)
	t.text = append(t.room[:0], text...)
	return err
}

func (t *metaText) String() string { return string(t.text) }

// time is the zero time if the text is not a time.
func (t *metaText) time() (at time.Time) {
	if at.UnmarshalText(t.text) != nil {
		at, _ = jsonwire.ParseTime(t.String())
	}
	return at
}

// wireError is the contract's error object, or the bare code of RFC 6749.
type wireError struct {
	Code    ErrorCode    `json:"code"`
	Message string       `json:"message"`
	Details []FieldError `json:"details"`
	failed  bool         // error is the bool true, which says no more
}

func (e *wireError) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, &e.Code)
	}
	e.failed = string(data) == "true"
	type plain wireError
	// What does not fit is ignored, because an error that is understood in part is
	// better than no error.
	_ = json.Unmarshal(data, (*plain)(e))
	return nil
}

func (e *wireError) present() bool { return e.Code != "" || e.Message != "" || e.failed }

// failed reports whether an answer says that the request failed.
func (e *envelope) failed() bool { return e.Error.present() || !e.Success }

// isSuccess reports whether an answer has a status of success.
func isSuccess(resp *http.Response) bool { return resp.StatusCode >= 200 && resp.StatusCode <= 299 }

// decode reads an answer into its envelope, and a success into the target too. A
// nil target expects no data. The error says what is wrong with the answer, without
// quoting it. The envelope holds what could be read in any case.
func decode(resp *http.Response, into target) (*envelope, error) {
	data := transport.Data(resp)
	env, err := unmarshal(resp, data, into)
	if id := &env.Meta.RequestID; len(id.text) == 0 {
		id.text = append(id.room[:0], resp.Header.Get("X-Request-Id")...)
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
	case into == nil:
		return env, nil
	}
	if name := into.lacks(); name != "" {
		return env, errors.New("the answer has no " + name)
	}
	return env, nil
}

// unmarshal returns package json's error about the target or, if there is no such
// error, about the envelope. An answer that lacks something is read once more in
// other spellings.
func unmarshal(resp *http.Response, data []byte, into target) (*envelope, error) {
	var trouble error
	if into != nil && isSuccess(resp) {
		into.reset()
		trouble = jsonwire.Unmarshal(data, into)
		failed := into.head().failed()
		if trouble == nil && !failed && into.lacks() == "" {
			into.head().valid = true
			return into.head(), nil
		}
		into.reset()
		if !failed && jsonwire.Unmarshal(foldAnswer(data, into.holds()), into) == nil {
			return into.head(), nil
		}
	}
	// An error in the data may have hidden what follows it.
	env := &envelope{Success: true}
	if err := jsonwire.Unmarshal(data, env); trouble == nil {
		trouble = err
	}
	if env.Error.Message == "" && (env.failed() || !isSuccess(resp)) {
		other := &envelope{}
		if jsonwire.Unmarshal(foldError(data), other) == nil {
			return other, trouble
		}
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
