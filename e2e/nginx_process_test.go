package e2e_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go/midtest"
)

const nginxConf = `
daemon off;
master_process off;
pid DIR/nginx.pid;
error_log stderr warn;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path DIR/body;
  proxy_temp_path DIR/proxy;
  fastcgi_temp_path DIR/fastcgi;
  uwsgi_temp_path DIR/uwsgi;
  scgi_temp_path DIR/scgi;
  proxy_http_version 1.1;
  HTTP
  server {
    listen ADDR LISTEN;
    SERVER
    location / { proxy_pass http://UPSTREAM; LOCATION }
  }
}
`

// nginxConfig is what a test adds to the configuration, by context.
type nginxConfig struct{ http, listen, server, location string }

// nginx runs a reverse proxy before the server at upstream and returns its
// address.
func nginx(t *testing.T, upstream string, cfg nginxConfig) string {
	t.Helper()
	addr := freeAddr(t)
	nginxAt(t, addr, upstream, cfg)
	return addr
}

func nginxAt(t *testing.T, addr, upstream string, cfg nginxConfig) {
	t.Helper()
	command := nginxCommand(t, addr, upstream, cfg)
	start(t, addr, command[0], command[1:]...)
}

// nginxCommand is what runs a configured nginx.
func nginxCommand(t *testing.T, addr, upstream string, cfg nginxConfig) []string {
	t.Helper()
	binary, dir := findNginx(t), t.TempDir()
	file := filepath.Join(dir, "nginx.conf")
	conf := strings.NewReplacer("DIR", dir, "ADDR", addr, "UPSTREAM", upstream,
		"HTTP", cfg.http, "LISTEN", cfg.listen, "SERVER", cfg.server, "LOCATION", cfg.location).Replace(nginxConf)
	require.NoError(t, os.WriteFile(file, []byte(conf), 0o600))
	return []string{binary, "-p", dir, "-c", file, "-e", "stderr"}
}

// findNginx looks where Debian puts it, which is not in everybody's path.
func findNginx(t *testing.T) string {
	t.Helper()
	const debian = "/usr/sbin/nginx"
	if _, err := os.Stat(debian); err == nil {
		return debian
	}
	return tool(t, "nginx", "apt-get install nginx-light")
}

// hostOf is the address of a fake server.
func hostOf(srv *midtest.Server) string {
	return strings.TrimSuffix(strings.TrimPrefix(srv.URL, "http://"), "/v1")
}

// journal is middleware that keeps when what was sent and answered.
type journal struct {
	mu    sync.Mutex
	sends []send
}

type send struct {
	at, answered time.Time
	path         string
	status       int // zero if no answer came
	header       http.Header
}

func (j *journal) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		s := send{at: time.Now(), path: req.URL.Path}
		res, err := next.RoundTrip(req)
		s.answered = time.Now()
		if err == nil {
			s.status, s.header = res.StatusCode, res.Header
		}
		j.mu.Lock()
		defer j.mu.Unlock()
		j.sends = append(j.sends, s)
		return res, err
	})
}

// with returns the sends that were answered with a status.
func (j *journal) with(status int) []send {
	j.mu.Lock()
	defer j.mu.Unlock()
	var found []send
	for _, s := range j.sends {
		if s.status == status {
			found = append(found, s)
		}
	}
	return found
}
