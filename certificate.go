package mid

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"

	"github.com/mobid-io/mid-go/internal/transport"
)

// WithClientCertificate presents a certificate to the server (mutual TLS, RFC
// 8705), as some accounts require. If [WithHTTPClient] is given too, its Transport
// must be nil or a [*http.Transport] without DialTLSContext; the transport is
// cloned. It excludes [WithClientCertificateFunc], which is for certificates that
// are replaced while the client is in use.
func WithClientCertificate(cert tls.Certificate) Option {
	return func(c *config) error {
		if len(cert.Certificate) == 0 || cert.PrivateKey == nil {
			return invalid("WithClientCertificate", "needs a certificate and its private key, see tls.LoadX509KeyPair")
		}
		c.certificate = &cert
		return nil
	}
}

// WithClientCertificateFunc is [WithClientCertificate] for certificates that
// rotate. certificate is called in each TLS handshake, as
// [tls.Config.GetClientCertificate] is, so a replaced file is used without a new
// client. Open connections keep the certificate of their handshake. If certificate
// returns an error, or nil, the handshake fails, and the request is retried as
// after other connection errors. certificate must be safe for concurrent use.
func WithClientCertificateFunc(certificate func(*tls.CertificateRequestInfo) (*tls.Certificate, error)) Option {
	return func(c *config) error {
		if certificate == nil {
			return invalid("WithClientCertificateFunc", "needs a function")
		}
		c.certificateFor = certificate
		return nil
	}
}

// transport makes the round tripper at the bottom of the pipeline, without
// changing what the caller passed in.
func (c *config) transport() (http.RoundTripper, error) {
	base := c.httpClient.Transport
	option := "WithClientCertificate"
	switch {
	case c.certificateFor != nil:
		option = "WithClientCertificateFunc"
	case c.certificate == nil && base == nil:
		return transport.Shared(c.attemptTimeout), nil
	case c.certificate == nil:
		return base, nil
	}
	if base == nil {
		base = transport.Default(c.attemptTimeout)
	}
	t, ok := base.(*http.Transport)
	//nolint:staticcheck // DialTLS is deprecated, and would still keep the certificate out.
	if !ok || t == nil || t.DialTLSContext != nil || t.DialTLS != nil {
		return nil, invalid(option, "needs a WithHTTPClient whose Transport is an *http.Transport without DialTLSContext; set the certificate on your own transport instead")
	}
	return transport.Own(c.certified(t)), nil
}

// certified is a clone of a transport that presents the client's certificate.
func (c *config) certified(own *http.Transport) *http.Transport {
	t := own.Clone()
	if t.TLSClientConfig == nil {
		t.TLSClientConfig = new(tls.Config)
	}
	// Package net/http sets up no HTTP/2 by itself if there is a TLSClientConfig,
	// though the one that was cloned may offer HTTP/2 to the server.
	if own.TLSNextProto["h2"] != nil {
		t.ForceAttemptHTTP2 = true
	}
	c.present(t.TLSClientConfig)
	return t
}

// present makes handshakes present the client's certificate.
func (c *config) present(tlsConfig *tls.Config) {
	tlsConfig.Certificates, tlsConfig.GetClientCertificate = nil, nil
	if c.certificate != nil {
		tlsConfig.Certificates = []tls.Certificate{*c.certificate}
		return
	}
	// A resumed session would keep the certificate that it began with.
	tlsConfig.ClientSessionCache = nil
	ask := c.certificateFor
	tlsConfig.GetClientCertificate = func(info *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		cert, err := ask(info)
		if err == nil && cert == nil {
			// Package tls requires a certificate, and would panic.
			err = errNoCertificate
		}
		if err != nil {
			// Another handshake may go well, unlike one in which the sides disagree.
			return nil, &transport.Later{Err: fmt.Errorf("WithClientCertificateFunc: %w", err)}
		}
		return cert, nil
	}
}

var errNoCertificate = errors.New("no certificate was returned")
