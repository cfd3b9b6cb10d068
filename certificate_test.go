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
	"math/big"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

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

// A certificate that is replaced is used at the next handshake, by the same
// client; a connection that is open keeps the one that it began with.
func TestClientCertificateFuncIsAskedAtEachHandshake(t *testing.T) {
	t.Parallel()
	server, _ := tlsServer(t, &tls.Config{ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS13})
	own, _ := server.Client().Transport.(*http.Transport)
	own = own.Clone()
	own.TLSClientConfig.Certificates = []tls.Certificate{selfSigned(t, "other.example")}
	// A session that is resumed would go on with the first certificate.
	own.TLSClientConfig.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	var current atomic.Pointer[tls.Certificate]
	var asked atomic.Int32
	replace := func(name string) {
		cert := selfSigned(t, name)
		current.Store(&cert)
	}
	replace("shop-1.example")
	c, err := mid.NewClient(testID, testSecret, mid.WithBaseURL(server.URL+"/v1"), mid.WithHTTPClient(&http.Client{Transport: own}),
		mid.WithClientCertificateFunc(func(info *tls.CertificateRequestInfo) (*tls.Certificate, error) {
			asked.Add(1)
			if info == nil || len(info.SignatureSchemes) == 0 {
				return nil, errors.New("no request")
			}
			return current.Load(), nil
		}))
	require.NoError(t, err)
	name := func() string {
		var got struct{ Name, Proto string }
		require.NoError(t, c.Call(t.Context(), "GET", "/x", nil, &got))
		require.Equal(t, "HTTP/2.0", got.Proto)
		return got.Name
	}
	require.Equal(t, "shop-1.example", name())
	replace("shop-2.example")
	require.Equal(t, "shop-1.example", name(), "the connection is open")
	require.EqualValues(t, 1, asked.Load())
	server.CloseClientConnections()
	require.Equal(t, "shop-2.example", name())
	require.EqualValues(t, 2, asked.Load())
	require.Len(t, own.TLSClientConfig.Certificates, 1, "the caller's transport is not changed")
	require.Nil(t, own.TLSClientConfig.GetClientCertificate)
}

// Without a certificate there is no handshake; the error says whose fault it
// is, and one that passes is retried.
func TestClientCertificateFuncThatFails(t *testing.T) {
	t.Parallel()
	server, requests := tlsServer(t, &tls.Config{ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS13})
	cert := selfSigned(t, "shop.example")
	gone := errors.New("the file is gone")
	for want, f := range map[string]func(n int32) (*tls.Certificate, error){
		"WithClientCertificateFunc: the file is gone":            func(int32) (*tls.Certificate, error) { return nil, gone },
		"WithClientCertificateFunc: no certificate was returned": func(int32) (*tls.Certificate, error) { return nil, nil },
		"": func(n int32) (*tls.Certificate, error) {
			if n == 1 {
				return nil, gone
			}
			return &cert, nil
		},
	} {
		var asked atomic.Int32
		c, err := mid.NewClient(testID, testSecret, mid.WithBaseURL(server.URL+"/v1"),
			mid.WithRetry(mid.RetryPolicy{MaxRetries: 1, MinWait: 1, MaxWait: 1}),
			mid.WithHTTPClient(&http.Client{Transport: server.Client().Transport}),
			mid.WithClientCertificateFunc(func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return f(asked.Add(1)) }))
		require.NoError(t, err)
		before := requests.Load()
		err = c.Call(t.Context(), "GET", "/x", nil, nil)
		if want == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, want)
		require.Equal(t, before, requests.Load())
	}
}

func TestOneOptionForTheCertificate(t *testing.T) {
	t.Parallel()
	one := mid.WithClientCertificate(selfSigned(t, "shop.example"))
	other := mid.WithClientCertificateFunc(func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return nil, nil })
	for _, opts := range [][]mid.Option{{one, other}, {other, one}} {
		_, err := mid.NewClient(testID, testSecret, opts...)
		require.Equal(t, "WithClientCertificateFunc", requireInvalid(t, err).Field)
	}
	_, err := mid.NewClient(testID, testSecret, mid.WithClientCertificateFunc(nil))
	require.Equal(t, "WithClientCertificateFunc", requireInvalid(t, err).Field)
	_, err = mid.NewClient(testID, testSecret, mid.WithHTTPClient(&http.Client{Transport: &api{}}), other)
	require.Equal(t, "WithClientCertificateFunc", requireInvalid(t, err).Field)
}
