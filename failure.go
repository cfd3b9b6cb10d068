package mid

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/mobid-io/mid-go/internal/redact"
	"github.com/mobid-io/mid-go/internal/transport"
)

// failures makes the errors that callers get. Their texts hold neither the client
// secret nor the call's tokens nor the personal values that the call sent.
type failures struct {
	base   *url.URL
	secret func() string // a function, so that no dump of the client shows it
}

// reported is an error of the SDK's own: its text is complete and was scrubbed.
type reported interface{ reported() }

func (*APIError) reported()        {}
func (*RateLimitError) reported()  {}
func (*ValidationError) reported() {}
func (*sendError) reported()       {}

// isReported looks at the outermost error only, because one that wraps an error of
// the SDK's may say more.
func isReported(err error) bool {
	_, ok := err.(reported)
	return ok
}

// answer decodes an answer. One that is not a success, or is unreadable, becomes
// the call's error.
func (f *failures) answer(call *transport.Call, resp *http.Response, into target) (*envelope, error) {
	env, trouble := decode(resp, into)
	switch {
	case !isSuccess(resp) || env.failed():
		return env, f.refused(call, resp, env)
	case trouble != nil:
		return env, f.unreadable(call, resp, env, trouble.Error())
	case into == nil:
		return env, nil
	}
	if err := into.finish(); err != nil {
		return env, f.unreadable(call, resp, env, err.Error())
	}
	return env, nil
}

// maxErrorBody bounds APIError.Body and the texts of an answer, in bytes.
const maxErrorBody = 64 << 10

// apiError returns the error of an answer, without a body.
func (f *failures) apiError(call *transport.Call, resp *http.Response, env *envelope) *APIError {
	e := &APIError{
		StatusCode: resp.StatusCode,
		Code:       env.Error.Code,
		Message:    env.Error.Message,
		RequestID:  env.Meta.RequestID.String(),
		RetryAfter: transport.RetryAfter(resp),
		Method:     call.Method,
		Path:       f.relative(&call.URL),
		Attempts:   call.Attempts,
		Header:     resp.Header.Clone(),
	}
	if e.Message == "" {
		e.Message = string(env.Description)
	}
	for _, d := range env.Error.Details {
		if d == (FieldError{}) {
			continue // a null
		}
		e.Details = append(e.Details, d)
	}
	for _, values := range e.Header {
		for i, v := range values {
			values[i] = f.scrub(call, v)
		}
	}
	f.scrubError(call, e)
	return e
}

// refused returns the error of an answer that is not a success.
func (f *failures) refused(call *transport.Call, resp *http.Response, env *envelope) error {
	e := f.apiError(call, resp, env)
	e.Body = []byte(f.scrub(call, string(transport.Data(resp))))
	switch {
	case env.Error.present():
	case isSuccess(resp):
		e.Message = "the answer says that the request failed, but not why"
	default:
		e.Message = snippet(string(e.Body))
	}
	switch {
	case resp.StatusCode/100 == 3 && resp.StatusCode != http.StatusNotModified:
		e.Message = "the server redirects, which the SDK does not follow; check the base URL"
	case resp.StatusCode == http.StatusNotFound && e.Path == opToken.path:
		e.Message = "there is no token endpoint at " + f.base.String() + "; does the base URL end in /v1?"
	}
	if resp.StatusCode == http.StatusTooManyRequests {
		quota, _ := transport.ReadQuota(resp.Header)
		return &RateLimitError{RetryAfter: e.RetryAfter, RateLimit: RateLimit(quota), Err: e}
	}
	return e
}

// unreadable returns the error of a success that is unreadable. The error has no
// body, because that may hold personal data.
func (f *failures) unreadable(call *transport.Call, resp *http.Response, env *envelope, message string) error {
	e := f.apiError(call, resp, env)
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
	return redact.OneLine(b.String(), most)
}

// noAnswer returns the error of a call that ended without an answer. The last
// answer that was retried is a part of it.
func (f *failures) noAnswer(call *transport.Call, err error) error {
	e := &sendError{text: err.Error()}
	if isReported(err) {
		if call.Last == nil {
			return err
		}
		e.causes = append(e.causes, err)
	} else {
		scrubbed := f.scrub(call, e.text)
		if scrubbed == e.text {
			e.causes = append(e.causes, err)
		}
		// Packages report one of the two, and callers may look for the other.
		if ended, cause := call.Err(), context.Cause(call); errors.Is(err, ended) || errors.Is(err, cause) {
			e.causes = append(e.causes, ended, cause)
		}
		e.text = fmt.Sprintf("mid: %s %s: %s", call.Method,
			redact.OneLine(f.relative(&call.URL), maxLine), redact.OneLine(scrubbed, maxLine))
		if call.Attempts > 1 {
			e.text += fmt.Sprintf(" after %d attempts", call.Attempts)
		}
	}
	if call.Last != nil {
		_, last := f.answer(call, call.Last, nil)
		e.text += "; the last answer: " + strings.TrimPrefix(last.Error(), "mid: ")
		// A 401 was dealt with: what came after it has failed.
		if call.Last.StatusCode != http.StatusUnauthorized {
			e.causes = append(e.causes, last)
		}
	}
	return e
}

// sendError is a failure without a final answer. The last answer that was
// retried is among its causes.
type sendError struct {
	text   string
	causes []error
}

func (e *sendError) Error() string { return e.text }

func (e *sendError) Unwrap() []error { return e.causes }

// scrub takes secrets and the call's personal values out of a text that came from
// outside, and bounds it. It also looks at what follows the bound, because a secret
// may stand across it.
func (f *failures) scrub(call *transport.Call, text string) string {
	const margin = 16 << 10 // longer than any spelling of a token
	long := len(text) > maxErrorBody
	if long {
		text = text[:min(len(text), maxErrorBody+margin)]
	}
	var room [3]string
	secrets := append(append(room[:0], call.Tokens()...), f.secret())
	text = redact.Texts(text, secrets, personalValues(call))
	if long {
		text = text[:min(maxErrorBody, max(len(text)-margin, 0))]
	}
	return text
}

// scrubError scrubs the texts of an error that may come from a server.
func (f *failures) scrubError(call *transport.Call, e *APIError) {
	e.Code = ErrorCode(f.scrub(call, string(e.Code)))
	e.Message = f.scrub(call, e.Message)
	e.RequestID = f.scrub(call, e.RequestID)
	for i, d := range e.Details {
		e.Details[i] = FieldError{f.scrub(call, d.Field), f.scrub(call, d.Message)}
	}
}

// logText makes one short line of a text that came from outside.
func (f *failures) logText(call *transport.Call, text string) string {
	return redact.OneLine(f.scrub(call, text), maxLine)
}

// relative returns the path of a request as errors and logs have it.
func (f *failures) relative(u *url.URL) string {
	return strings.TrimPrefix(u.EscapedPath(), f.base.EscapedPath())
}

// partError is an error of a part that the application may have supplied.
type partError struct {
	part string
	err  error
}

func (e *partError) Error() string { return fmt.Sprintf("the %s: %v", e.part, e.err) }

func (e *partError) Unwrap() error { return e.err }

// fromPart names the part of the client that an error is from, unless the error
// names it itself, or only says that ctx has ended.
func fromPart(ctx context.Context, part string, err error) error {
	if err == nil || ctx.Err() != nil || isReported(err) {
		return err
	}
	if _, named := err.(*partError); named { //nolint:errorlint // the outermost names it
		return err
	}
	return &partError{part, err}
}

// permanent reports whether a failed look will fail the same way next time.
func permanent(err error) bool {
	if errors.Is(err, ErrRateLimited) || errors.Is(err, ErrServer) {
		return false
	}
	_, api := errors.AsType[*APIError](err)
	_, parameter := errors.AsType[*ValidationError](err)
	return api || parameter || !transport.Mendable(err)
}
