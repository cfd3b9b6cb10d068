package consumer

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"github.com/mobid-io/mid-go"
)

// Webhooks.
var (
	_ func(mid.WebhookConfig) (*mid.WebhookService, error) = mid.NewWebhookService
	_                                                      = mid.WebhookConfig{
		Secrets:      []string(nil),
		Tolerance:    time.Duration(0),
		Lease:        time.Duration(0),
		Store:        mid.EventStore(nil),
		Notifier:     mid.Notifier(nil),
		MaxBodyBytes: int64(0),
		Logger:       (*slog.Logger)(nil),
	}
	_ func(*mid.WebhookService, []byte, string) error                                              = (*mid.WebhookService).Verify
	_ func(*mid.WebhookService, []byte, http.Header) (*mid.Event, error)                           = (*mid.WebhookService).Parse
	_ func(*mid.WebhookService, *http.Request) (*mid.Event, error)                                 = (*mid.WebhookService).ParseRequest
	_ func(*mid.WebhookService, mid.EventHandlers) http.Handler                                    = (*mid.WebhookService).Handler
	_ func(*mid.WebhookService, context.Context, []byte, http.Header, mid.EventHandlers) mid.Reply = (*mid.WebhookService).Handle
	_ func(*mid.WebhookService, []byte) string                                                     = (*mid.WebhookService).Sign

	_ func() mid.Notifier = mid.NewNotifier

	_ = mid.Reply{Status: int(0), RetryAfter: time.Duration(0), Reason: string("")}
	_ = mid.Event{
		ID:        string(""),
		Type:      mid.EventType(""),
		Timestamp: time.Time{},
		ClientID:  string(""),
		Data:      json.RawMessage(nil),
	}
	_ func(*mid.Event) (*mid.AuthSession, error)    = (*mid.Event).AuthSession
	_ func(*mid.Event) (*mid.Verification, error)   = (*mid.Event).Verification
	_ func(*mid.Event) (*mid.SigningSession, error) = (*mid.Event).SigningSession

	_ = mid.EventHandlers{
		AuthenticationCompleted: (func(context.Context, *mid.Event, *mid.AuthSession) error)(nil),
		VerificationCompleted:   (func(context.Context, *mid.Event, *mid.Verification) error)(nil),
		SigningCompleted:        (func(context.Context, *mid.Event, *mid.SigningSession) error)(nil),
		Other:                   (func(context.Context, *mid.Event) error)(nil),
	}
	_ = map[mid.EventType]bool{
		mid.EventAuthenticationCompleted: true, mid.EventVerificationCompleted: true, mid.EventSigningCompleted: true,
	}
)

const _ string = mid.SignatureHeader

// Errors.
var (
	_ error = &mid.APIError{
		StatusCode: int(0),
		Code:       mid.ErrorCode(""),
		Message:    string(""),
		Details:    []mid.FieldError(nil),
		RequestID:  string(""),
		RetryAfter: time.Duration(0),
		Method:     string(""),
		Path:       string(""),
		Attempts:   int(0),
		Header:     http.Header(nil),
		Body:       []byte(nil),
	}
	_ error = &mid.RateLimitError{RetryAfter: time.Duration(0), RateLimit: mid.RateLimit{}, Err: error(nil)}
	_ error = &mid.ValidationError{Field: string(""), Reason: string("")}
	_       = mid.FieldError{Field: string(""), Message: string("")}

	_ interface{ Is(target error) bool } = (*mid.APIError)(nil)
	_ interface {
		Is(target error) bool
		Unwrap() error
	} = (*mid.RateLimitError)(nil)

	_ = []error{
		mid.ErrInvalidRequest, mid.ErrInvalidClient, mid.ErrUnauthorized, mid.ErrForbidden, mid.ErrNotFound,
		mid.ErrConflict, mid.ErrPayloadTooLarge, mid.ErrRateLimited, mid.ErrServer, mid.ErrUnexpectedSession,
		mid.ErrMissingSignature, mid.ErrInvalidSignature, mid.ErrStaleEvent,
		mid.ErrEventHandled, mid.ErrEventInHand, mid.ErrClaimLost,
	}
	_ = map[mid.ErrorCode]bool{
		mid.CodeRateLimitExceeded: true, mid.CodeInvalidRequest: true, mid.CodeInvalidClient: true,
		mid.CodeUnauthorized: true, mid.CodeForbidden: true, mid.CodeNotFound: true, mid.CodeConflict: true,
		mid.CodeIdempotencyConflict: true, mid.CodePayloadTooLarge: true, mid.CodeUnsupportedMediaType: true,
		mid.CodeInternalError: true, mid.CodeServiceUnavailable: true,
	}
)
