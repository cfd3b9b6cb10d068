package midotel

import (
	"context"
	"errors"
	"io"
	"net"
	"regexp"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/mobid-io/mid-go"
)

var (
	// errNotReturned is the error of a function that panicked or called
	// [runtime.Goexit].
	errNotReturned = errors.New("midotel: the function did not return")
	// errNothing is the error of middleware that returns no answer and no error.
	errNothing = errors.New("midotel: neither an answer nor an error")
)

// errorType returns the status of an answer, or a word for what kept the answer from
// coming. There are few such words. An error's text is not used, because it may be
// the application's or a server's.
func errorType(err error) attribute.KeyValue {
	if e, ok := errors.AsType[*mid.APIError](err); ok && refuses(e.StatusCode) {
		return statusType(e.StatusCode)
	}
	_, limited := errors.AsType[*mid.RateLimitError](err)
	_, network := errors.AsType[net.Error](err)
	switch {
	case limited:
		return semconv.ErrorTypeKey.String("rate_limited")
	case errors.Is(err, context.Canceled):
		return semconv.ErrorTypeKey.String("canceled")
	case errors.Is(err, context.DeadlineExceeded), timedOut(err):
		return semconv.ErrorTypeKey.String("timeout")
	case network, errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return semconv.ErrorTypeKey.String("network")
	}
	return semconv.ErrorTypeOther
}

// statusType is the type of an answer that [refuses].
func statusType(status int) attribute.KeyValue {
	return semconv.ErrorTypeKey.String(strconv.Itoa(status))
}

// refuses reports whether an answer with this status is an error to a client.
func refuses(status int) bool { return status >= 400 && status <= 599 }

// ended returns why a wire send's context has ended, or nil if it has not. A cause
// counts if it is a timeout, such as that of the attempt. Any other is the
// application's.
func ended(ctx context.Context) error {
	if cause := context.Cause(ctx); timedOut(cause) {
		return cause
	}
	return ctx.Err()
}

func timedOut(err error) bool {
	late, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	return ok && late.Timeout()
}

// requestID returns what MID's support asks for, if it looks like an id: it is the
// server's text.
func requestID(err error) string {
	if e, ok := errors.AsType[*mid.APIError](err); ok && plainID.MatchString(e.RequestID) {
		return e.RequestID
	}
	return ""
}

var plainID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)
