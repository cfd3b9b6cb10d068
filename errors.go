package mid

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/mobid-io/mid-go/internal/redact"
)

// The sentinels that errors of this package match with [errors.Is]. An
// [*APIError] matches by its HTTP status; only ErrInvalidClient is matched by
// the code of the token endpoint's answer.
var (
	ErrInvalidRequest  = errors.New("mid: invalid request")            // 400, 415, 422
	ErrInvalidClient   = errors.New("mid: invalid client credentials") // invalid_client (RFC 6749 section 5.2)
	ErrUnauthorized    = errors.New("mid: unauthorized")               // 401
	ErrForbidden       = errors.New("mid: forbidden")                  // 403
	ErrNotFound        = errors.New("mid: not found")                  // 404, but not of the token endpoint: that is the base URL's
	ErrConflict        = errors.New("mid: conflict")                   // 409
	ErrPayloadTooLarge = errors.New("mid: payload too large")          // 413; a webhook body over its bound
	ErrRateLimited     = errors.New("mid: rate limited")               // 429; a refusal of the client's own limiter
	ErrServer          = errors.New("mid: server error")               // 5xx
)

// ErrUnexpectedSession says that an approved session is not the one that
// [VerifyAuthenticationParams].Expect describes. It is of another kind, someone
// else's, too old, or not this application's.
var ErrUnexpectedSession = errors.New("mid: the session is not the expected one")

// The sentinels of webhook deliveries that must not be trusted.
var (
	ErrMissingSignature = errors.New("mid: webhook signature is missing")
	ErrInvalidSignature = errors.New("mid: webhook signature is invalid")
	ErrStaleEvent       = errors.New("mid: webhook event is too old or too far ahead")
)

// ErrorCode is the machine-readable code of an [APIError]. The set is open.
type ErrorCode string

// The codes of the wire contract.
const (
	CodeRateLimitExceeded    ErrorCode = "rate_limit_exceeded"
	CodeInvalidRequest       ErrorCode = "invalid_request"
	CodeInvalidClient        ErrorCode = "invalid_client"
	CodeUnauthorized         ErrorCode = "unauthorized"
	CodeForbidden            ErrorCode = "forbidden"
	CodeNotFound             ErrorCode = "not_found"
	CodeConflict             ErrorCode = "conflict"
	CodeIdempotencyConflict  ErrorCode = "idempotency_conflict"
	CodePayloadTooLarge      ErrorCode = "payload_too_large"
	CodeUnsupportedMediaType ErrorCode = "unsupported_media_type"
	CodeInternalError        ErrorCode = "internal_error"
	CodeServiceUnavailable   ErrorCode = "service_unavailable"
)

// FieldError is what the server found wrong with one field of a request.
type FieldError struct {
	Field   string `json:"field"` // the wire name, like recipient
	Message string `json:"message"`
}

// APIError is an answer of the API, or of a proxy before it, that is not a
// success. Match it with the sentinels, such as [ErrNotFound], or take it
// apart with [errors.AsType].
type APIError struct {
	// StatusCode is the HTTP status. It is 200 for an error that was sent with
	// status 200.
	StatusCode int
	// Code is empty when the answer was not the API's JSON.
	Code ErrorCode
	// Message is the server's, or a short piece of the body if the answer was
	// not the API's JSON. If a success was unreadable, it says why and quotes
	// nothing.
	Message string
	// Details say what was wrong with which field. It is nil if the server named
	// no field.
	Details []FieldError
	// RequestID names the request to MID's support. It may be empty.
	RequestID string
	// RetryAfter is how long the server asked to wait. It is zero if the server
	// did not ask.
	RetryAfter time.Duration
	// Method and Path are the request's; Path is relative to the base URL and
	// has no query.
	Method, Path string
	// Attempts counts the times that the request was sent.
	Attempts int
	// Header is the answer's.
	Header http.Header `json:"-"`
	// Body is the answer's, cut after 64 KiB. It may hold personal data: keep
	// it out of logs.
	Body []byte `json:"-"`
}

// Error returns the status, the code, the message, the fields and the request
// id on one line of bounded length. It never holds the client secret, the access
// token or the personal values that the call sent.
func (e *APIError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "mid: %s %s: %d", e.Method, redact.OneLine(e.Path, maxLine), e.StatusCode)
	if text := http.StatusText(e.StatusCode); text != "" {
		b.WriteString(" " + text)
	}
	if e.Code != "" {
		fmt.Fprintf(&b, " (%s)", redact.OneLine(string(e.Code), maxName))
	}
	if message := redact.OneLine(e.Message, maxLine); message != "" {
		if len(e.Details) > 0 {
			message = strings.TrimSuffix(message, ".")
		}
		b.WriteString(": " + message)
	}
	for i, d := range e.Details {
		sep := "; "
		if i == 0 {
			sep = ": "
		}
		if i == maxDetails {
			fmt.Fprintf(&b, "%sand %d more", sep, len(e.Details)-i)
			break
		}
		b.WriteString(sep + strings.TrimSpace(redact.OneLine(d.Field, maxName)+" "+redact.OneLine(d.Message, maxName)))
	}
	if e.RequestID != "" {
		fmt.Fprintf(&b, " [request %s]", redact.OneLine(e.RequestID, maxName))
	}
	if e.Attempts > 1 {
		fmt.Fprintf(&b, " after %d attempts", e.Attempts)
	}
	return b.String()
}

// Format writes the text of Error, whatever the verb: the header and the body
// stay out of logs.
func (e APIError) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, e.Error()) }

// LogValue is the text of Error.
func (e APIError) LogValue() slog.Value { return slog.StringValue(e.Error()) }

// The bounds of the parts of an error's text that come from outside.
const (
	maxLine    = 500 // characters of a message or a path
	maxName    = 200 // characters of a code, an id or a detail
	maxDetails = 10
)

// Is reports whether the error is of the kind that target, one of the
// package's sentinels, stands for.
func (e *APIError) Is(target error) bool {
	switch target {
	case ErrInvalidClient:
		return e.Path == opToken.path && e.Code == CodeInvalidClient
	case ErrNotFound:
		return e.StatusCode == http.StatusNotFound && e.Path != opToken.path
	case ErrServer:
		return e.StatusCode >= 500
	}
	sentinel, ok := statusErrors[e.StatusCode]
	return ok && sentinel == target
}

var statusErrors = map[int]error{
	http.StatusBadRequest:            ErrInvalidRequest,
	http.StatusUnauthorized:          ErrUnauthorized,
	http.StatusForbidden:             ErrForbidden,
	http.StatusConflict:              ErrConflict,
	http.StatusRequestEntityTooLarge: ErrPayloadTooLarge,
	http.StatusUnsupportedMediaType:  ErrInvalidRequest,
	http.StatusUnprocessableEntity:   ErrInvalidRequest,
	http.StatusTooManyRequests:       ErrRateLimited,
}

// RateLimitError says that a request was refused for the rate limit. It matches
// [ErrRateLimited].
//
// If the server refused the request, Err is its [*APIError]: the retries were
// spent, or the server asked for a wait that is too long. If the client's own
// limiter refused it, nothing was sent. Err is then [context.DeadlineExceeded] if
// the wait would have outlived the context, else nil.
type RateLimitError struct {
	// RetryAfter is how long to wait before the next try.
	RetryAfter time.Duration
	// RateLimit is the quota as last reported, or the zero value if it never was.
	RateLimit RateLimit
	// Err is the cause. It may be nil.
	Err error

	tooLong bool // the client's own queue refused a wait over MaxRetryAfter
}

// Error says how long to wait and why.
func (e *RateLimitError) Error() string {
	text := fmt.Sprintf("mid: rate limited, try again in %v", e.RetryAfter.Round(time.Millisecond))
	if e.tooLong {
		return text + ": the wait is longer than RetryPolicy.MaxRetryAfter"
	}
	if e.Err == nil {
		return text
	}
	if errors.As(e.Err, new(*APIError)) {
		return text + ": " + strings.TrimPrefix(e.Err.Error(), "mid: ")
	}
	return text + ": the context ends before that: " + e.Err.Error()
}

// Is reports whether target is [ErrRateLimited].
func (e *RateLimitError) Is(target error) bool { return target == ErrRateLimited }

// Unwrap returns Err.
func (e *RateLimitError) Unwrap() error { return e.Err }

// ValidationError says that a parameter or an option is invalid. Nothing was
// sent. It never quotes the value.
type ValidationError struct {
	Field  string // the Go field, like Signers[0].Email, or the option
	Reason string
}

// Error names the field and the reason.
func (e *ValidationError) Error() string { return "mid: " + e.Field + " " + e.Reason }
