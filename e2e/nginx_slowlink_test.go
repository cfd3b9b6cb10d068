package e2e_test

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

// slowLinkServer is nginx's address at its end of the link. Each link has
// network namespaces of its own, so that the address may stand several times.
var slowLinkServer = net.IPv4(198, 18, 0, 2)

// TestNginxOnASlowLink uploads over a link of 400 kbit/s with the SDK's own
// transport. The kernel takes the file at once and sends for three times the
// attempt timeout: the bytes move, so that the first attempt must get through.
// SLOW_LINK_MIB=4 sends 4 MiB with the default attempt timeout of 30 s.
func TestNginxOnASlowLink(t *testing.T) {
	mib := 1
	if n, err := strconv.Atoi(os.Getenv("SLOW_LINK_MIB")); err == nil {
		mib = n
	}
	for protocol, listen := range map[int]string{1: "ssl", 2: "ssl http2"} {
		t.Run(fmt.Sprintf("HTTP/%d", protocol), func(t *testing.T) {
			t.Parallel()
			l := newSlowLink(t)
			srv, ca := newMID(t), newAuthority(t)
			cfg := ca.tlsConfig(t, "ssl_protocols TLSv1.3; client_max_body_size 0; listen unix:"+l.ready+";")
			cfg.listen = listen
			nginx := nginxCommand(t, slowLinkServer.String()+":443", "unix:"+l.upstream(t, srv), cfg)
			start(t, l.ready, "ip", append([]string{"netns", "exec", l.server}, nginx...)...)

			roots := filepath.Join(t.TempDir(), "ca.pem")
			require.NoError(t, os.WriteFile(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.cert.Raw}), 0o600))
			client := exec.CommandContext(t.Context(), "ip", "netns", "exec", l.client, os.Args[0], "-test.run=^TestSlowLinkClient$")
			client.Env = append(os.Environ(), "SSL_CERT_FILE="+roots, "SLOW_LINK_CLIENT="+mustJSON(t, slowLinkCall{
				BaseURL: "https://" + slowLinkServer.String() + "/v1", ID: srv.ClientID, Secret: srv.ClientSecret,
				Size: mib << 20, Timeout: time.Duration(mib) * 7500 * time.Millisecond, Protocol: protocol,
			}))
			began := time.Now()
			output, err := client.CombinedOutput()
			require.NoError(t, err, "%s", output)
			took := time.Since(began)
			assert.Greater(t, took, time.Duration(mib)*18*time.Second, "the link is not slow")
			t.Logf("%d MiB in %v", mib, took.Round(time.Second))
		})
	}
}

// slowLinkCall is what the client's process is to do.
type slowLinkCall struct {
	BaseURL, ID, Secret string
	Size, Protocol      int
	Timeout             time.Duration
}

// TestSlowLinkClient is the client's process, which has the network namespace
// and the roots that it is given.
func TestSlowLinkClient(t *testing.T) {
	env := os.Getenv("SLOW_LINK_CLIENT")
	if env == "" {
		t.Skip("it is started by TestNginxOnASlowLink")
	}
	var do slowLinkCall
	require.NoError(t, json.Unmarshal([]byte(env), &do))
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() {
		// A client that is gone leaves no connection.
		assert.Eventually(t, func() bool { runtime.GC(); return goleak.Find(before) == nil }, 10*time.Second, 10*time.Millisecond)
	})
	var watch protocolWatch
	c, err := mid.NewClient(do.ID, do.Secret, mid.WithBaseURL(do.BaseURL), mid.WithAttemptTimeout(do.Timeout), mid.WithMiddleware(watch.wrap))
	require.NoError(t, err)
	var answer mid.Response
	doc, err := c.Signing.UploadDocument(t.Context(), mid.UploadSigningDocumentParams{File: mid.FileFromBytes("large.pdf", make([]byte, do.Size))}, mid.WithResponse(&answer))
	require.NoError(t, err)
	assert.EqualValues(t, do.Size, doc.Size)
	assert.Equal(t, 1, answer.Attempts)
	assert.Equal(t, do.Protocol, watch.proto)
}

// slowLink is two network namespaces with a link between them that sends 400
// kbit/s from the client to the server.
type slowLink struct {
	client, server string // the namespaces
	ready          string // a socket that nginx listens at, too: its address can't be reached from here
}

func newSlowLink(t *testing.T) *slowLink {
	t.Helper()
	const install = "apt-get install iproute2, and run as root"
	tool(t, "ip", install)
	tool(t, "tc", install)
	dir := t.TempDir()
	id := filepath.Base(filepath.Dir(dir)) + filepath.Base(dir)
	l := &slowLink{client: "client" + id, server: "server" + id, ready: filepath.Join(dir, "ready")}
	run := func(command ...string) error {
		output, err := exec.CommandContext(t.Context(), command[0], command[1:]...).CombinedOutput()
		if err != nil {
			err = fmt.Errorf("%v: %w: %s", command, err, output)
		}
		return err
	}
	for _, name := range []string{l.client, l.server} {
		if err := run("ip", "netns", "add", name); err != nil {
			missing(t, "the right to make a network namespace", fmt.Sprintf("%s (%v)", install, err))
		}
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "delete", name).Run() })
	}
	for _, command := range [][]string{
		{"ip", "-n", l.client, "link", "add", "v0", "type", "veth", "peer", "name", "v0", "netns", l.server},
		{"ip", "-n", l.client, "address", "add", "198.18.0.1/30", "dev", "v0"},
		{"ip", "-n", l.server, "address", "add", slowLinkServer.String() + "/30", "dev", "v0"},
		{"ip", "-n", l.client, "link", "set", "v0", "up"},
		{"ip", "-n", l.server, "link", "set", "v0", "up"},
		{"tc", "-n", l.client, "qdisc", "add", "dev", "v0", "root", "tbf", "rate", "400kbit", "burst", "16kb", "limit", "128kb"},
	} {
		require.NoError(t, run(command...))
	}
	return l
}

// upstream makes a fake server one that nginx reaches from its namespace: by a
// socket in the file system.
func (l *slowLink) upstream(t *testing.T, srv *midtest.Server) string {
	t.Helper()
	path := filepath.Join(filepath.Dir(l.ready), "mid")
	socket, err := net.Listen("unix", path)
	require.NoError(t, err)
	target, err := url.Parse("http://" + hostOf(srv))
	require.NoError(t, err)
	proxy := httputil.NewSingleHostReverseProxy(target)
	next := &http.Transport{}
	proxy.Transport = next
	server := &httptest.Server{Listener: socket, Config: &http.Server{Handler: proxy}}
	server.Start()
	t.Cleanup(func() {
		server.Close()
		next.CloseIdleConnections()
	})
	return path
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return string(text)
}
