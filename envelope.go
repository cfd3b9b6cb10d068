package mid

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

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

// wireText is a text that fails no answer: what is no JSON string is taken for
// not told.
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

// decode reads an answer, a success into the target; nil: no data is expected.
// An answer that is no success, or can't be understood, becomes the call's
// error.
func (p *pipeline) decode(call *transport.Call, resp *http.Response, into target) (*envelope, error) {
	success := resp.StatusCode >= 200 && resp.StatusCode <= 299
	data := transport.Data(resp)
	var env *envelope
	var trouble error
	if success && into != nil {
		env = into.head()
		env.Success = true
		trouble = json.Unmarshal(data, into)
	}
	if env == nil || trouble != nil {
		// Trouble with the data may have hidden what follows it.
		env = &envelope{Success: true}
		if err := json.Unmarshal(data, env); trouble == nil {
			trouble = err
		}
	}
	if env.Meta.RequestID == "" {
		env.Meta.RequestID = wireText(resp.Header.Get("X-Request-Id"))
	}
	none := len(bytes.TrimSpace(data)) == 0
	switch {
	case !success || env.Error.present() || !env.Success:
		return env, p.answerError(call, resp, env)
	case none && into == nil:
		return env, nil
	case none:
		return env, p.unreadable(call, resp, env, "the answer is empty")
	case trouble != nil && bytes.HasPrefix(bytes.TrimSpace(data), []byte("<")):
		return env, p.unreadable(call, resp, env, "the answer is a web page, not JSON; check the base URL, or a proxy on the way")
	case trouble != nil:
		return env, p.unreadable(call, resp, env, "the answer is not what was expected: "+jsonTrouble(trouble))
	case into == nil:
		return env, nil
	case into.empty():
		return env, p.unreadable(call, resp, env, "the answer has no data")
	}
	if err := into.finish(); err != nil {
		return env, p.unreadable(call, resp, env, err.Error())
	}
	return env, nil
}

// jsonTrouble tells what is wrong with a JSON text, or with a value that was
// to become one, without quoting it.
func jsonTrouble(err error) string {
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		what := "it"
		if e.Field != "" {
			what = "its field " + line(strings.TrimPrefix(e.Field, "envelope."), maxName)
		} else if e.Type.Kind() != reflect.Struct {
			what = "it, or a value in it,"
		}
		return what + " is not " + jsonKind(e.Type)
	}
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		if e.Offset <= 1 {
			return "it is not JSON"
		}
		return fmt.Sprintf("it is not JSON, or only its first %d bytes are", e.Offset-1)
	}
	if e, ok := errors.AsType[*json.UnsupportedTypeError](err); ok {
		return fmt.Sprintf("it holds a %v", e.Type)
	}
	if _, ok := errors.AsType[*json.UnsupportedValueError](err); ok {
		return "it holds a value that JSON can't express, like NaN or a cycle"
	}
	if e, ok := errors.AsType[*json.MarshalerError](err); ok {
		return fmt.Sprintf("the encoder of %v fails", e.Type)
	}
	return "one of its values has a form that the SDK does not know"
}

// jsonKind names what JSON has for a Go type.
func jsonKind(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		return "a JSON object"
	case reflect.Slice, reflect.Array:
		return "a JSON array"
	case reflect.String:
		return "a JSON string"
	case reflect.Bool:
		return "true or false"
	}
	return "a number that fits into " + t.String()
}

// ownAnswer is the answer to a [Client.Call]: its data is decoded into the
// caller's value once the answer is known to be a success.
type ownAnswer struct {
	answer[json.RawMessage]
	out any
}

func (a *ownAnswer) finish() error {
	if err := json.Unmarshal(*a.Data, a.out); err != nil {
		return fmt.Errorf("the answer's data does not fit into %T: %s", a.out, jsonTrouble(err))
	}
	return nil
}

func (r *Response) fill(call *transport.Call, resp *http.Response, env *envelope) {
	*r = Response{Attempts: call.Attempts}
	if resp == nil {
		return
	}
	r.StatusCode = resp.StatusCode
	r.Header = resp.Header
	r.RequestID = string(env.Meta.RequestID)
	r.Timestamp, _ = time.Parse(time.RFC3339, string(env.Meta.Timestamp))
	if q, ok := transport.ReadQuota(resp.Header); ok {
		r.RateLimit = RateLimit(q)
	}
	var body struct{ Data *json.RawMessage }
	if json.Unmarshal(transport.Data(resp), &body) == nil && body.Data != nil {
		r.Data = *body.Data
	}
}

// maxErrorBody bounds APIError.Body, in bytes.
const maxErrorBody = 64 << 10

// apiError is the error that an answer is.
func (p *pipeline) apiError(call *transport.Call, resp *http.Response, env *envelope) *APIError {
	e := &APIError{
		StatusCode: resp.StatusCode,
		Code:       env.Error.Code,
		Message:    env.Error.Message,
		RequestID:  string(env.Meta.RequestID),
		RetryAfter: transport.RetryAfter(resp),
		Method:     call.Method,
		Path:       p.relative(&call.URL),
		Attempts:   call.Attempts,
		Header:     resp.Header.Clone(),
	}
	for _, d := range env.Error.Details {
		if d == (FieldError{}) {
			continue // a null
		}
		e.Details = append(e.Details, d)
	}
	for _, values := range e.Header {
		for i, v := range values {
			values[i] = p.scrub(call, v)
		}
	}
	p.scrubTold(call, e)
	return e
}

// answerError is the error of an answer that is no success.
func (p *pipeline) answerError(call *transport.Call, resp *http.Response, env *envelope) error {
	e := p.apiError(call, resp, env)
	// Scrubbed before it is cut, or a secret at the cut would be seen in part.
	body := p.scrub(call, string(transport.Data(resp)))
	e.Body = []byte(body[:min(len(body), maxErrorBody)])
	if e.Message == "" {
		e.Message = p.scrub(call, string(env.Description))
	}
	switch {
	case env.Error.present():
	case resp.StatusCode/100 == 2:
		e.Message = "the answer says that it is no success, but not why"
	default:
		e.Message = snippet(string(e.Body))
	}
	switch {
	case resp.StatusCode/100 == 3 && resp.StatusCode != http.StatusNotModified:
		e.Message = "the server redirects, which the SDK does not follow; check the base URL"
	case resp.StatusCode == http.StatusNotFound && e.Path == tokenPath:
		e.Message = "there is no token endpoint at " + p.base.String() + "; does the base URL end in /v1?"
	}
	if resp.StatusCode == http.StatusTooManyRequests {
		quota, _ := transport.ReadQuota(resp.Header)
		return &RateLimitError{RetryAfter: e.RetryAfter, RateLimit: RateLimit(quota), Err: e}
	}
	return e
}

// unreadable is the error of a success that can't be understood. It has no
// body, which may hold personal data.
func (p *pipeline) unreadable(call *transport.Call, resp *http.Response, env *envelope, message string) error {
	e := p.apiError(call, resp, env)
	e.Message = message
	return e
}

// snippet makes one short line of a body that is not the API's JSON.
func snippet(body string) string {
	const most = 200
	var b strings.Builder
	inTag := false
	for _, r := range body {
		switch {
		case r == '<':
			inTag = true
			b.WriteByte(' ')
		case r == '>' && inTag:
			inTag = false
		case !inTag:
			b.WriteRune(r)
		}
	}
	return line(b.String(), most)
}

// failure is the error of a call that no answer ended.
func (p *pipeline) failure(call *transport.Call, err error) error {
	text := err.Error()
	clean := isScrubbed(err)
	if !clean {
		text = p.scrub(call, text)
		clean = text == err.Error()
	}
	if !strings.HasPrefix(text, "mid: ") {
		text = fmt.Sprintf("mid: %s %s: %s", call.Method, line(p.relative(&call.URL), maxLine), line(text, maxLine))
		if call.Attempts > 1 {
			text += fmt.Sprintf(" after %d attempts", call.Attempts)
		}
	} else if call.Last == nil && clean {
		return err
	}
	f := &sendError{text: text}
	if clean {
		f.causes = append(f.causes, err)
	}
	if call.Last != nil {
		_, last := p.decode(call, call.Last, nil)
		f.text += "; the last answer: " + strings.TrimPrefix(last.Error(), "mid: ")
		// A 401 was dealt with: what failed is what came after it.
		if call.Last.StatusCode != http.StatusUnauthorized {
			f.causes = append(f.causes, last)
		}
	}
	return f
}

// sendError is a failure without a final answer; the last answer that was
// retried is among its causes.
type sendError struct {
	text   string
	causes []error
}

func (e *sendError) Error() string { return e.text }

func (e *sendError) Unwrap() []error { return e.causes }
