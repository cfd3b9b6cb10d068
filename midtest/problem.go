package midtest

import (
	"net/http"

	"github.com/mobid-io/mid-go"
)

// problem is an error to be answered in the contract's form. Its texts never
// quote the request: it may hold personal data.
type problem struct {
	Code       mid.ErrorCode    `json:"code"`
	Message    string           `json:"message"`
	RetryAfter int64            `json:"retry_after,omitempty"` // seconds
	Details    []mid.FieldError `json:"details,omitempty"`

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
	return &problem{Code: code, Message: message, status: statusOf[code]}
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
