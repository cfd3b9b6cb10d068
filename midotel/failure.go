package midotel

import (
	"context"
	"errors"
	"net"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/mobid-io/mid-go"
)

// errorType says in few words what kind of failure an error is: the status of an
// answer, or what kept the answer from coming.
func errorType(err error) attribute.KeyValue {
	if e, ok := errors.AsType[*mid.APIError](err); ok {
		return semconv.ErrorTypeKey.String(strconv.Itoa(e.StatusCode))
	}
	_, limited := errors.AsType[*mid.RateLimitError](err)
	network, _ := errors.AsType[net.Error](err)
	late, _ := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	switch {
	case limited:
		return semconv.ErrorTypeKey.String("rate_limited")
	case errors.Is(err, context.Canceled):
		return semconv.ErrorTypeKey.String("canceled")
	case errors.Is(err, context.DeadlineExceeded), late != nil && late.Timeout():
		return semconv.ErrorTypeKey.String("timeout")
	case network != nil:
		return semconv.ErrorTypeKey.String("network")
	}
	return semconv.ErrorType(err)
}

// requestID returns what MID's support asks for. The SDK has taken secrets out of
// it.
func requestID(err error) string {
	if e, ok := errors.AsType[*mid.APIError](err); ok {
		return e.RequestID
	}
	return ""
}
