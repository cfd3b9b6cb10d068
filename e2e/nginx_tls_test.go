package e2e_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// authority issues certificates for a test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{}
	a.cert, a.key = a.issue(t, &x509.Certificate{
		Subject:               pkix.Name{CommonName: "Example Authority"},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	})
	return a
}

// issue signs a certificate; the first one signs itself.
func (a *authority) issue(t *testing.T, template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return cert, key
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// tlsConfig makes nginx speak TLS with a certificate of the authority.
func (a *authority) tlsConfig(t *testing.T, more string) nginxConfig {
	t.Helper()
	cert, key := a.issue(t, &x509.Certificate{
		Subject:     pkix.Name{CommonName: "gateway.example.com"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), slowLinkServer},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	dir := t.TempDir()
	write := func(name, kind string, der []byte) string {
		file := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
		return file
	}
	return nginxConfig{
		listen: "ssl http2",
		server: "ssl_certificate " + write("cert.pem", "CERTIFICATE", cert.Raw) +
			"; ssl_certificate_key " + write("key.pem", "PRIVATE KEY", der) +
			"; ssl_client_certificate " + write("ca.pem", "CERTIFICATE", a.cert.Raw) + "; " + more,
		location: "proxy_set_header X-Client-Subject $ssl_client_s_dn;",
	}
}

// TestNginxClientCertificate signs in with a certificate over HTTP/2.
func TestNginxClientCertificate(t *testing.T) {
	srv, ca := newMID(t), newAuthority(t)
	there := newWorld(t, srv)
	addr := nginx(t, hostOf(srv), ca.tlsConfig(t, "ssl_protocols TLSv1.3; ssl_verify_client on; client_max_body_size 0;"))
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: ca.pool(), MinVersion: tls.VersionTLS13}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	base, own := "https://"+addr+"/v1", mid.WithHTTPClient(&http.Client{Transport: transport})
	ctx := bounded(t)

	_, err := clientAt(srv, base, own, quickRetries(3)).Authentication.GetSession(ctx, there.auth.ID)
	require.ErrorIs(t, err, mid.ErrInvalidRequest)
	assert.Contains(t, asAPIError(t, err).Message, "No required SSL certificate was sent")

	cert, key := ca.issue(t, &x509.Certificate{
		Subject:     pkix.Name{CommonName: "shop.example.com"},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	var watch protocolWatch
	c := clientAt(srv, base, own, quickRetries(3), mid.WithMiddleware(watch.wrap),
		mid.WithClientCertificate(tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key}))
	for _, op := range there.operations(t) {
		require.NoError(t, op.call(ctx, c), op.id)
	}
	_, err = c.Signing.UploadDocument(ctx, mid.UploadSigningDocumentParams{File: mid.FileFromBytes("big.pdf", make([]byte, 5<<20))})
	require.NoError(t, err)
	requests := srv.Requests()
	last := requests[len(requests)-1]
	assert.Equal(t, "CN=shop.example.com", last.Header.Get("X-Client-Subject"))
	assert.Equal(t, 2, watch.proto)
}

// protocolWatch is middleware that keeps the protocol's major version.
type protocolWatch struct{ proto int }

func (c *protocolWatch) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		res, err := next.RoundTrip(req)
		if err == nil {
			c.proto = res.ProtoMajor
		}
		return res, err
	})
}

// TestNginxDistrust makes one attempt, and no more, at a server that must not
// be spoken to: one with an old protocol, one with a certificate that no one trusts.
func TestNginxDistrust(t *testing.T) {
	srv, ca := newMID(t), newAuthority(t)
	for protocol, reason := range map[string]string{"TLSv1.2": "protocol version", "TLSv1.3": "unknown authority"} {
		addr := nginx(t, hostOf(srv), ca.tlsConfig(t, "ssl_protocols "+protocol+";"))
		var log journal
		c := clientAt(srv, "https://"+addr+"/v1", mid.WithMiddleware(log.wrap), quickRetries(3))
		_, err := c.Authentication.GetSession(bounded(t), "sess_1")
		require.ErrorContains(t, err, reason)
		attempts := len(log.sends)
		assert.Equal(t, 1, attempts, "attempts at %s", protocol)
	}
	assert.Empty(t, srv.Requests())
}
