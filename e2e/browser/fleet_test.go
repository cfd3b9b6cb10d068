package browser_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
	"github.com/mobid-io/mid-go/midweb"
)

// A process of the tests' site is this very program, with these in its
// environment.
const (
	siteAddr   = "SITE_ADDR"   // where it listens
	siteOrigin = "SITE_ORIGIN" // where browsers reach it
)

// runSite is such a process.
func runSite() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	client, err := mid.NewClientFromEnv()
	if err != nil {
		return err
	}
	handler, closeSite, err := newSite(client, midweb.Config{
		Origin: os.Getenv(siteOrigin),
		Poll:   mid.PollOptions{MinInterval: 100 * time.Millisecond, MaxInterval: 500 * time.Millisecond},
		Brake:  midweb.Brake{TrustedProxies: 1},
	})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", os.Getenv(siteAddr))
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: patience}
	defer closeSite()
	context.AfterFunc(ctx, func() { _ = server.Close() }) // the process ends now
	fmt.Println(ready)
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// startProcesses starts the site as two processes behind nginx, which has TLS,
// holds answers back until they end, rewrites the Host and gives no browser a
// process of its own. It returns the processes and the URL.
func startProcesses(t *testing.T, srv *midtest.Server) ([]*process, string) {
	t.Helper()
	binary := nginxPath(t)
	addr, upstreams := freeAddr(t), []string{freeAddr(t), freeAddr(t)}
	self, err := os.Executable()
	require.NoError(t, err)
	var all []*process
	for _, upstream := range upstreams {
		all = append(all, start(t, ready, environment(
			"MID_BASE_URL="+srv.URL,
			"MID_CLIENT_ID="+srv.ClientID,
			"MID_CLIENT_SECRET="+srv.ClientSecret,
			siteAddr+"="+upstream,
			siteOrigin+"=https://"+addr,
		), self))
	}
	dir := t.TempDir()
	certificate(t, filepath.Join(dir, "site.pem"))
	conf := strings.NewReplacer("DIR", dir, "ADDR", addr, "FIRST", upstreams[0], "SECOND", upstreams[1]).Replace(nginxConf)
	file := filepath.Join(dir, "nginx.conf")
	require.NoError(t, os.WriteFile(file, []byte(conf), 0o600))
	start(t, "nginx/", os.Environ(), binary, "-p", dir, "-c", file, "-e", "stderr")
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", addr)
		return err == nil && conn.Close() == nil
	}, patience, pause, "nginx does not listen")
	return all, "https://" + addr + "/"
}

const nginxConf = `
daemon off;
master_process off;
pid DIR/nginx.pid;
error_log stderr notice;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path DIR/body;
  proxy_temp_path DIR/proxy;
  fastcgi_temp_path DIR/fastcgi;
  uwsgi_temp_path DIR/uwsgi;
  scgi_temp_path DIR/scgi;
  upstream site {
    server FIRST max_fails=1 fail_timeout=60s;
    server SECOND max_fails=1 fail_timeout=60s;
  }
  server {
    listen ADDR ssl;
    ssl_certificate DIR/site.pem;
    ssl_certificate_key DIR/site.pem;
    location / {
      proxy_pass http://site;
      proxy_http_version 1.1;
      proxy_buffering on;
      proxy_ignore_headers X-Accel-Buffering;
      proxy_buffers 8 64k;
      proxy_set_header Host rewritten.example;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }
  }
}
`

// nginxPath looks where Debian puts nginx, which is not in everyone's path.
func nginxPath(t *testing.T) string {
	t.Helper()
	const debian = "/usr/sbin/nginx"
	if _, err := os.Stat(debian); err == nil {
		return debian
	}
	return tool(t, "nginx", "apt-get install nginx-light")
}

// certificate writes a key and a certificate that it signs itself.
func certificate(t *testing.T, file string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...)
	require.NoError(t, os.WriteFile(file, text, 0o600))
}

// TestFleet signs people in while nginx sends each request to another process,
// and while one of the two is killed.
func TestFleet(t *testing.T) {
	t.Parallel()
	srv := midtest.NewServer()
	t.Cleanup(srv.Close)
	processes, url := startProcesses(t, srv)
	page := newTab(t)
	page.excuse("502") // of a stream that broke with its process
	page.excuse("net::ERR_")
	page.startSignIn(url)
	page.mark()
	flow := page.cookie(url, "__Host-"+flowCookie)
	require.NotNil(t, flow)
	assert.True(t, flow.Secure)
	session := sessionIn(t, page.scan())
	assert.Equal(t, srv.AuthSessions()[0].ID, session)

	require.NoError(t, srv.Scan(session))
	page.until(atState("scanned"))
	processes[0].kill()
	require.NoError(t, srv.Approve(session, "user_noor_haddad"))
	page.until(atState("approved") + " && window.marked")
	assert.Equal(t, "user_noor_haddad", page.user())

	// The one that is left serves all of the next.
	other := newTab(t)
	other.startSignIn(url)
	require.NoError(t, srv.Approve(sessionIn(t, other.scan()), "user_ada_marsh"))
	assert.Equal(t, "user_ada_marsh", other.user())
}
