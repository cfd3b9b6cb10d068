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
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func alert(op string, number uint8) error {
	return &net.OpError{Op: op, Err: tls.AlertError(number)}
}

// What a further attempt would not mend.
func TestMendable(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  error
		want bool
	}{
		{errors.New("anything"), true},
		{io.ErrUnexpectedEOF, true},
		{&net.OpError{Op: "read", Err: syscall.ECONNRESET}, true},
		{&net.OpError{Op: "dial", Err: &net.DNSError{IsNotFound: true}}, true},
		{&net.OpError{Op: "proxyconnect", Err: syscall.ECONNREFUSED}, true},
		{&TimeoutError{time.Second}, true},
		{context.DeadlineExceeded, true},
		{&Permanent{io.EOF}, false},
		{&Permanent{alert("remote error", 80)}, false},
		{errTooLarge, false},
		{&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, false},
		{x509.UnknownAuthorityError{}, false},
		{x509.HostnameError{Certificate: new(x509.Certificate), Host: "api.example.com"}, false},
		{x509.CertificateInvalidError{Cert: new(x509.Certificate), Reason: x509.Expired}, false},
		{alert("remote error", 116), false}, // certificate required
		{alert("remote error", 70), false},  // protocol version
		{alert("local error", 70), false},
		{alert("remote error", 80), true}, // internal error
		{alert("remote error", 20), true}, // bad record MAC
		{&net.OpError{Op: "remote error"}, false},
		{&handshakeError{errors.New("tls: anything")}, false},
		{http.ErrSchemeMismatch, false},
		{tls.RecordHeaderError{}, false},
		{&ProxyError{Status: 407}, false},
		{&ProxyError{}, false},
		{&ProxyError{Status: 503}, true},
	} {
		require.Equal(t, tt.want, Mendable(tt.err), "%T: %v", tt.err, tt.err)
		require.Equal(t, tt.want, Mendable(fmt.Errorf("wrapped: %w", tt.err)), "%T: %v", tt.err, tt.err)
	}
}

// A server that answers in TLS 1.2, as one does that does not look at what the
// client offers, is refused once, in words that name the version.
func TestDisagreementAboutTLSIsFinal(t *testing.T) {
	t.Parallel()
	// A ServerHello of TLS 1.2 in a record (RFC 5246 section 7.4.1.3).
	hello := append([]byte{22, 3, 3, 0, 42, 2, 0, 0, 38, 3, 3}, make([]byte, 36)...)
	hello[11+33], hello[11+34] = 0xc0, 0x2f
	for name, answer := range map[string][]byte{
		"TLS 1.2": hello,
		"alert":   {21, 3, 3, 0, 2, 2, 70},
		"neither": {22, 3, 3, 0, 4, 99, 0, 0, 0},
	} {
		address, dialed := rawServer(t, answer)
		call := callTo(t.Context(), t, http.MethodGet, "https://"+address+"/v1/x", nil)
		_, err := pipe(NewBase(&http.Client{}, Default(time.Minute)), time.Minute, 3).Do(call)
		require.ErrorContains(t, err, "MID needs TLS 1.3", name)
		require.Equal(t, 1, call.Attempts, name)
		require.EqualValues(t, 1, dialed.Load(), name)
	}
}

// An alert that may pass, and a connection that is lost in the handshake, are
// tried again.
func TestHandshakeThatMayPassIsRetried(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string][]byte{"internal error": {21, 3, 3, 0, 2, 2, 80}, "lost": {}} {
		address, _ := rawServer(t, answer)
		call := callTo(t.Context(), t, http.MethodGet, "https://"+address+"/v1/x", nil)
		_, err := pipe(NewBase(&http.Client{}, Default(time.Minute)), time.Minute, 2).Do(call)
		require.Error(t, err)
		require.NotContains(t, err.Error(), "TLS 1.3", name)
		require.Equal(t, 3, call.Attempts, name)
	}
}
