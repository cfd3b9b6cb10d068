package e2e_test

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	contractfile "github.com/mobid-io/mid-go/internal/contract"
)

// prism starts Stoplight Prism on the embedded contract and returns its
// base URL. It serves the contract's paths without the /v1 of its servers.
func prism(t *testing.T, mode string, args ...string) string {
	t.Helper()
	node := tool(t, "node", "apt-get install nodejs npm")
	cli := installPrism(t)
	file := filepath.Join(t.TempDir(), "openapi.yaml")
	require.NoError(t, os.WriteFile(file, contractfile.OpenAPI, 0o600))
	addr := freeAddr(t)
	_, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	args = append([]string{cli, mode, "--host", "127.0.0.1", "--port", port, file}, args...)
	start(t, addr, node, args...)
	return "http://" + addr
}

// installPrism installs what prism/package-lock.json names, unless it is there.
func installPrism(t *testing.T) string {
	t.Helper()
	npm := tool(t, "npm", "apt-get install nodejs npm")
	cli := filepath.Join("prism", "node_modules", "@stoplight", "prism-cli", "dist", "index.js")
	if _, err := os.Stat(cli); err == nil {
		return cli
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, npm, "ci", "--no-audit", "--no-fund", "--loglevel=error")
	cmd.Dir = "prism"
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		missing(t, "Prism", "npm ci in e2e/prism failed: "+err.Error()+"\n"+string(out))
	}
	return cli
}

// violationWatch is middleware that collects what Prism reports in a header.
type violationWatch struct {
	mu    sync.Mutex
	found []string
	sends int
}

func (v *violationWatch) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		res, err := next.RoundTrip(req)
		if err != nil {
			return nil, err
		}
		v.mu.Lock()
		defer v.mu.Unlock()
		v.sends++
		if text := res.Header.Get("Sl-Violations"); text != "" {
			v.found = append(v.found, req.Method+" "+req.URL.Path+": "+text)
		}
		return res, nil
	})
}

// take returns what was found so far, and forgets it.
func (v *violationWatch) take() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	found := v.found
	v.found = nil
	return found
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
