package mid

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"

	"github.com/mobid-io/mid-go/internal/transport"
)

// WithClientCertificate presents a certificate to the server (mutual TLS, RFC
// 8705), as some accounts require. With [WithHTTPClient] it needs a client
// whose Transport is nil or a [*http.Transport] that dials TLS itself; the
// transport is cloned. For certificates that are replaced while the client is
// in use there is [WithClientCertificateFunc]; only one of the two may be given.
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
// rotate: certificate is asked at each TLS handshake, as
// [tls.Config.GetClientCertificate] is, so that a replaced file is used without
// a new client. Connections that are open keep the certificate of their
// handshake. An error, or no certificate, fails that handshake; the request is
// retried as after other connection errors. certificate must be safe for
// concurrent use.
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
	// With a TLSClientConfig, HTTP/2 is not set up by itself any more, though the
	// one that was cloned may offer it to the server.
	if own.TLSNextProto["h2"] != nil {
		t.ForceAttemptHTTP2 = true
	}
	c.present(t.TLSClientConfig)
	return t
}

// present has the client's certificate shown in handshakes.
func (c *config) present(tlsConfig *tls.Config) {
	tlsConfig.Certificates, tlsConfig.GetClientCertificate = nil, nil
	if c.certificate != nil {
		tlsConfig.Certificates = []tls.Certificate{*c.certificate}
		return
	}
	// A session that is resumed goes on with the certificate that it began with.
	tlsConfig.ClientSessionCache = nil
	ask := c.certificateFor
	tlsConfig.GetClientCertificate = func(info *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		cert, err := ask(info)
		if err == nil && cert == nil {
			// Package tls would use it all the same.
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
