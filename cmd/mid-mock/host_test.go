package main

import (
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

func TestHostsThatAreAnswered(t *testing.T) {
	for _, tc := range []struct {
		guard   guard
		yes, no []string
	}{
		{
			guard{},
			[]string{"localhost", "LOCALHOST:1", "localhost.:1", "app.localhost:8700", "127.0.0.1", "127.8.9.1:80", "[::1]:8700", "[::1]", "[::ffff:127.0.0.1]:1"},
			[]string{"", "evil.example", "localhost.evil.example:8700", "127.0.0.1.evil.example", "192.168.0.1:8700", "[fe80::1]:80", "0.0.0.0:8700", "mid-mock"},
		},
		{
			guard{exposed: true},
			[]string{"localhost:1", "127.0.0.1", "192.168.0.1:8700", "[2001:db8::1]:80", "mid-mock:8700", "Laptop"},
			[]string{"evil.example", "192.168.0.1.evil.example", "mid-mock.evil.example:8700"},
		},
		{
			guard{public: "mock.example"},
			[]string{"mock.example", "MOCK.example:443", "localhost"},
			[]string{"evil.example", "evil.mock.example", "192.168.0.1"},
		},
	} {
		for _, host := range tc.yes {
			assert.True(t, tc.guard.admits(host), "%+v %s", tc.guard, host)
		}
		for _, host := range tc.no {
			assert.False(t, tc.guard.admits(host), "%+v %s", tc.guard, host)
		}
	}
}

// get asks the program at addr for its page, by another host's name.
func get(t *testing.T, addr, host string) *http.Response {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, "http://"+addr+"/", nil)
	require.NoError(t, err)
	req.Host = host
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	return res
}

func TestExposedServerIsNotReachedByRebinding(t *testing.T) {
	p := start(t, "-addr", "0.0.0.0:0")
	addr := strings.TrimPrefix(p.url, "http://")
	assert.Contains(t, p.read(get(t, addr, "evil.example"), http.StatusForbidden), "-public-url")
	p.read(get(t, addr, "mid-mock"), http.StatusOK)
}

func TestPublicURL(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := l.Addr().String()
	require.NoError(t, l.Close())
	p := start(t, "-addr", addr, "-public-url", "http://mock.example/")
	assert.Contains(t, p.stdout.String(), "Base URL        http://mock.example/v1\n")
	p.read(get(t, addr, "mock.example"), http.StatusOK)
	p.read(get(t, addr, "evil.example"), http.StatusForbidden)

	client, err := mid.NewClient("midtest-client", "midtest-client-secret", mid.WithBaseURL("http://"+addr+"/v1"))
	require.NoError(t, err)
	link := p.signing(client, "Lease", ada).Signers[0].SignURL
	assert.True(t, strings.HasPrefix(link, "http://mock.example/sign/"), link)
}
