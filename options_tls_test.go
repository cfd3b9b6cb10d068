package mid_test

import (
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

var discardLog = log.New(io.Discard, "", 0)

// The versions are agreed on before the certificate is shown: a server of TLS
// 1.2 is refused for its version, one of TLS 1.3 for its certificate, which
// no one trusts.
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
