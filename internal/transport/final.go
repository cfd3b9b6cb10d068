package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
)

// Permanent marks an error that no retry would mend.
type Permanent struct{ Err error }

func (p *Permanent) Error() string { return p.Err.Error() }

// Unwrap returns the marked error.
func (p *Permanent) Unwrap() error { return p.Err }

// handshakeError says that the two sides can't agree on TLS. Package tls has no
// type for that, so that the stage that sees the handshake marks it.
type handshakeError struct{ err error }

func (e *handshakeError) Error() string {
	return "the TLS handshake failed, MID needs TLS 1.3: " + e.err.Error()
}

func (e *handshakeError) Unwrap() error { return e.err }

// ProxyError says that a proxy refused to connect to the server.
type ProxyError struct {
	Proxy  string // its host, without the password that its URL may hold
	Status int    // of its answer; 0: not known
}

func (e *ProxyError) Error() string {
	text := "the proxy " + e.Proxy + " refuses to connect to MID"
	if e.Status != 0 {
		text += fmt.Sprintf(": %d %s", e.Status, http.StatusText(e.Status))
	}
	return text
}

// Mendable reports whether another attempt could end better: not when a stage
// or a proxy refused the request, nor when the two sides can't agree on TLS.
func Mendable(err error) bool {
	if is[*Permanent](err) || is[*handshakeError](err) {
		return false
	}
	if p, ok := errors.AsType[*ProxyError](err); ok {
		return Retried(p.Status) // it may reach the server later
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && isAlert(op) {
		return mayPass(op)
	}
	return !isCertificate(err) &&
		!is[tls.RecordHeaderError](err) &&
		!errors.Is(err, http.ErrSchemeMismatch) &&
		!errors.Is(err, errTooLarge)
}

// isDisagreement reports whether a handshake failed for what the two sides are
// set to. What is wrong with a certificate says so itself.
func isDisagreement(err error) bool {
	if op, ok := errors.AsType[*net.OpError](err); ok && isAlert(op) {
		return !mayPass(op)
	}
	return !isNetwork(err) && !isCertificate(err) && !is[*Later](err)
}

// isCertificate reports whether the server's certificate is not good.
func isCertificate(err error) bool {
	return is[*tls.CertificateVerificationError](err) ||
		is[x509.UnknownAuthorityError](err) ||
		is[x509.HostnameError](err) ||
		is[x509.CertificateInvalidError](err)
}

// isAlert reports whether a side ended the TLS connection with an alert, which
// comes in a [net.OpError] with one of these operations.
func isAlert(op *net.OpError) bool { return op.Op == "remote error" || op.Op == "local error" }

// mayPass reports whether an alert is about this moment rather than about what
// the two sides are set to (RFC 8446 section 6.2). The alert's type is not
// exported, though that of QUIC, which has the same numbers and says the same.
func mayPass(op *net.OpError) bool {
	for _, alert := range []tls.AlertError{
		20, // bad_record_mac: something on the way has changed a byte
		80, // internal_error
		90, // user_canceled
	} {
		if op.Err != nil && op.Err.Error() == alert.Error() {
			return true
		}
	}
	return false
}

// isNetwork reports whether err is of the connection itself: lost, refused, or
// too slow.
func isNetwork(err error) bool {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return !isAlert(op)
	}
	return is[net.Error](err) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, context.Canceled)
}

// Retried reports whether an answer with this status is worth another attempt.
func Retried(status int) bool {
	switch status {
	case http.StatusRequestTimeout, // a server also says so on a connection that was idle
		http.StatusTooEarly, http.StatusTooManyRequests,
		http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
