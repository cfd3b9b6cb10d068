package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"github.com/mobid-io/mid-go"
)

const (
	kindSuccess = "success"
	kindUntyped = "untyped"
)

// kindOf is the kind of error that a caller can tell it for, the most telling
// first.
func kindOf(err error) string {
	api, answered := errors.AsType[*mid.APIError](err)
	var timeout interface{ Timeout() bool }
	switch {
	case err == nil:
		return kindSuccess
	case errors.Is(err, context.Canceled):
		return "context cancelled"
	case errors.Is(err, mid.ErrRateLimited) && !answered:
		return "refused by the client's own limiter"
	case errors.Is(err, context.DeadlineExceeded):
		return "context's deadline"
	case answered:
		kind := fmt.Sprintf("status %d", api.StatusCode)
		if isNetwork(err) {
			kind = "network, after an answer"
		}
		return kind
	case errors.As(err, &timeout) && timeout.Timeout():
		return "attempt timeout"
	case isNetwork(err):
		return "network"
	}
	return kindUntyped
}

// isNetwork reports whether an error is one of the network's, by what package
// net and those on top of it document.
func isNetwork(err error) bool {
	_, typed := errors.AsType[net.Error](err)
	for _, known := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, os.ErrDeadlineExceeded} {
		typed = typed || errors.Is(err, known)
	}
	return typed
}
