package mid

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A client certificate does not change which HTTP a transport speaks: with a TLS
// configuration it would not set up HTTP/2 by itself, and with a dialer of one's
// own it never does.
func TestClientCertificateKeepsHTTP2(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.NotFoundHandler())
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	used := new(http.Transport)
	used.CloseIdleConnections() // has package http set it up
	for name, tt := range map[string]struct {
		own   *http.Transport
		proto int
	}{
		"bare":                   {&http.Transport{}, 2},
		"used before":            {used, 2},
		"with a dialer":          {&http.Transport{DialContext: new(net.Dialer).DialContext}, 1},
		"with one, and asked to": {&http.Transport{DialContext: new(net.Dialer).DialContext, ForceAttemptHTTP2: true}, 2},
		"without HTTP/2":         {&http.Transport{TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{}}, 1},
	} {
		cfg, err := newConfig("id", "secret", []Option{
			WithHTTPClient(&http.Client{Transport: tt.own}), WithClientCertificate(srv.TLS.Certificates[0]),
		})
		require.NoError(t, err)
		tr := cfg.certified(tt.own)
		tr.TLSClientConfig.RootCAs = srv.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL, http.NoBody)
		require.NoError(t, err)
		resp, err := tr.RoundTrip(req)
		require.NoError(t, err, name)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, tt.proto, resp.ProtoMajor, name)
	}
}

// Clients with the defaults share a transport. One with a certificate, or with
// another attempt timeout, has another.
func TestClientsShareTheDefaultTransport(t *testing.T) {
	bottom := func(opts ...Option) http.RoundTripper {
		cfg, err := newConfig("id", "secret", opts)
		require.NoError(t, err)
		base, err := cfg.transport()
		require.NoError(t, err)
		return base
	}
	cert := tls.Certificate{Certificate: [][]byte{{1}}, PrivateKey: 1}
	def, certified := bottom(), bottom(WithClientCertificate(cert))
	require.Same(t, def, bottom())
	require.Same(t, def, bottom(WithHTTPClient(&http.Client{})))
	require.NotSame(t, def, bottom(WithAttemptTimeout(time.Second)))
	require.NotSame(t, def, certified)
	require.NotSame(t, certified, bottom(WithClientCertificate(cert)))
	own := new(http.Transport)
	require.Same(t, own, bottom(WithHTTPClient(&http.Client{Transport: own})))
}
