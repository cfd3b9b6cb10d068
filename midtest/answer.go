package midtest

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/mobid-io/mid-go"
)

// answer is a whole answer in memory: it can be remembered for a repeated
// request, and cut by a fault.
type answer struct {
	status      int
	requestID   string
	contentType string
	header      http.Header // beside those that every answer has; may be nil
	body        []byte
}

const jsonType = "application/json"

type envelope struct {
	Success bool       `json:"success"`
	Data    any        `json:"data,omitempty"`
	Error   *errorBody `json:"error,omitempty"`
	Meta    meta       `json:"meta"`
}

type errorBody struct {
	Code       mid.ErrorCode    `json:"code"`
	Message    string           `json:"message"`
	RetryAfter int64            `json:"retry_after,omitempty"` // seconds
	Details    []mid.FieldError `json:"details,omitempty"`
}

type meta struct {
	RequestID string    `json:"request_id"`
	Timestamp time.Time `json:"timestamp"`
}

// problem is an error to be answered in the contract's form. Its texts never
// quote the request: it may hold personal data.
type problem struct {
	errorBody
	status int
	header http.Header
}

func (p *problem) Error() string { return "midtest: " + p.Message }

var statusOf = map[mid.ErrorCode]int{
	mid.CodeRateLimitExceeded:    http.StatusTooManyRequests,
	mid.CodeInvalidRequest:       http.StatusBadRequest,
	mid.CodeInvalidClient:        http.StatusUnauthorized,
	mid.CodeUnauthorized:         http.StatusUnauthorized,
	mid.CodeForbidden:            http.StatusForbidden,
	mid.CodeNotFound:             http.StatusNotFound,
	mid.CodeConflict:             http.StatusConflict,
	mid.CodeIdempotencyConflict:  http.StatusConflict,
	mid.CodePayloadTooLarge:      http.StatusRequestEntityTooLarge,
	mid.CodeUnsupportedMediaType: http.StatusUnsupportedMediaType,
	mid.CodeInternalError:        http.StatusInternalServerError,
	mid.CodeServiceUnavailable:   http.StatusServiceUnavailable,
}

func newProblem(code mid.ErrorCode, message string) *problem {
	return &problem{errorBody: errorBody{Code: code, Message: message}, status: statusOf[code]}
}

// invalid is nil if there are no details.
func invalid(details []mid.FieldError) error {
	if len(details) == 0 {
		return nil
	}
	p := newProblem(mid.CodeInvalidRequest, "the request is invalid")
	p.Details = details
	return p
}

func success(requestID string, status int, data any) *answer {
	return enveloped(requestID, status, envelope{Success: true, Data: data})
}

func failure(requestID string, err error) *answer {
	var p *problem
	if !errors.As(err, &p) {
		p = newProblem(mid.CodeInternalError, err.Error())
	}
	a := enveloped(requestID, p.status, envelope{Error: &p.errorBody})
	a.header = p.header
	return a
}

func enveloped(requestID string, status int, e envelope) *answer {
	e.Meta = meta{RequestID: requestID, Timestamp: now()}
	body, err := json.Marshal(e)
	if err != nil {
		return failure(requestID, err)
	}
	return &answer{status: status, requestID: requestID, contentType: jsonType, body: body}
}
