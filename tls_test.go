package mid_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

var discardLog = log.New(io.Discard, "", 0)

// The versions are agreed on before the certificate is shown: a server of TLS
// 1.2 is refused for its version, one of TLS 1.3 for its certificate, which
// nobody trusts.
func TestDefaultTransportSpeaksTLS13OrNothing(t *testing.T) {
	t.Parallel()
	for name, own := range map[string][]mid.Option{
		"none":        nil,
		"bare client": {mid.WithHTTPClient(&http.Client{Timeout: time.Minute})},
		"certificate": {mid.WithClientCertificate(selfSigned(t, "shop.example"))},
	} {
		old, requests := tlsServer(t, &tls.Config{MaxVersion: tls.VersionTLS12})
		c, err := mid.NewClient(testID, testSecret, append(own, mid.WithBaseURL(old.URL+"/v1"))...)
		require.NoError(t, err)
		err = c.Call(t.Context(), "GET", "/x", nil, nil)
		require.ErrorContains(t, err, "protocol version not supported", name)
		require.Zero(t, requests.Load())

		modern, requests := tlsServer(t, &tls.Config{MinVersion: tls.VersionTLS13})
		c, err = mid.NewClient(testID, testSecret, append(own, mid.WithBaseURL(modern.URL+"/v1"))...)
		require.NoError(t, err)
		err = c.Call(t.Context(), "GET", "/x", nil, nil)
		_, ok := errors.AsType[*tls.CertificateVerificationError](err)
		require.True(t, ok, "%s: %v", name, err)
		require.Zero(t, requests.Load())
	}
}

// selfSigned makes a client's certificate.
func selfSigned(t *testing.T, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestClientCertificate(t *testing.T) {
	t.Parallel()
	cert := selfSigned(t, "shop.example")
	server, requests := tlsServer(t, &tls.Config{ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS13})
	trusting := func() *http.Transport { return server.Client().Transport.(*http.Transport).Clone() }
	other := selfSigned(t, "other.example")

	without, err := mid.NewClient(testID, testSecret, mid.WithBaseURL(server.URL+"/v1"), mid.WithRetry(mid.RetryPolicy{}),
		mid.WithHTTPClient(&http.Client{Transport: trusting()}))
	require.NoError(t, err)
	require.Error(t, without.Call(t.Context(), "GET", "/x", nil, nil))
	require.Zero(t, requests.Load())

	for name, change := range map[string]func(*http.Transport){
		"as it is": func(*http.Transport) {},
		"with own": func(tr *http.Transport) { tr.TLSClientConfig.Certificates = []tls.Certificate{other} },
		"with func": func(tr *http.Transport) {
			tr.TLSClientConfig.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &other, nil }
		},
	} {
		own := trusting()
		change(own)
		before := own.TLSClientConfig.Clone()
		c, err := mid.NewClient(testID, testSecret, mid.WithBaseURL(server.URL+"/v1"), mid.WithRetry(mid.RetryPolicy{}),
			mid.WithHTTPClient(&http.Client{Transport: own}), mid.WithClientCertificate(cert))
		require.NoError(t, err)
		var got struct{ Name, Proto string }
		require.NoError(t, c.Call(t.Context(), "GET", "/x", nil, &got), name)
		require.Equal(t, "shop.example", got.Name, name)
		require.Equal(t, "HTTP/2.0", got.Proto, name)
		require.Equal(t, before.Certificates, own.TLSClientConfig.Certificates, "the caller's transport is not changed")
		require.Equal(t, before.GetClientCertificate == nil, own.TLSClientConfig.GetClientCertificate == nil)
	}
}

func TestClientCertificateNeedsATransportThatTakesIt(t *testing.T) {
	t.Parallel()
	cert := selfSigned(t, "shop.example")
	dial := func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("not dialled") }
	for name, own := range map[string]http.RoundTripper{
		"another type":     &api{},
		"dials itself":     &http.Transport{DialTLSContext: dial},
		"dials as of old":  &http.Transport{DialTLS: func(string, string) (net.Conn, error) { return nil, errors.New("not dialled") }}, //nolint:staticcheck // on purpose
		"wrapped function": tripper(func(*http.Request) (*http.Response, error) { return nil, errors.New("not sent") }),
	} {
		_, err := mid.NewClient(testID, testSecret, mid.WithHTTPClient(&http.Client{Transport: own}), mid.WithClientCertificate(cert))
		v := requireInvalid(t, err)
		require.Equal(t, "WithClientCertificate", v.Field, name)
		require.Contains(t, v.Reason, "set the certificate on your own transport instead")
	}
	_, err := mid.NewClient(testID, testSecret, mid.WithHTTPClient(&http.Client{Transport: &http.Transport{}}), mid.WithClientCertificate(cert))
	require.NoError(t, err)
}
