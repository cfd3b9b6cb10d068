package midweb

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAddressOf(t *testing.T) {
	for name, test := range map[string]struct {
		remote    string
		forwarded []string
		proxies   int
		want      string
	}{
		"direct":                         {"192.0.2.1:80", nil, 0, "192.0.2.1"},
		"direct, with a forged header":   {"192.0.2.1:80", []string{"198.51.100.7"}, 0, "192.0.2.1"},
		"IPv6 counts by its /64":         {"[2001:db8:1:2:3:4:5:6]:80", nil, 0, "2001:db8:1:2::/64"},
		"IPv6 with a zone":               {"[fe80::1%eth0]:80", nil, 0, "fe80::/64"},
		"IPv4 within IPv6":               {"[::ffff:192.0.2.1]:80", nil, 0, "192.0.2.1"},
		"one proxy":                      {"127.0.0.1:80", []string{"198.51.100.7"}, 1, "198.51.100.7"},
		"one proxy, forged before it":    {"127.0.0.1:80", []string{"203.0.113.9, 198.51.100.7"}, 1, "198.51.100.7"},
		"one proxy, forged in two lines": {"127.0.0.1:80", []string{"203.0.113.9", "198.51.100.7"}, 1, "198.51.100.7"},
		"two proxies":                    {"127.0.0.1:80", []string{"203.0.113.9, 198.51.100.7, 10.0.0.2"}, 2, "198.51.100.7"},
		"a proxy that names the port":    {"127.0.0.1:80", []string{"198.51.100.7:4711"}, 1, "198.51.100.7"},
		"IPv6 with brackets":             {"127.0.0.1:80", []string{"[2001:db8::1]"}, 1, "2001:db8::/64"},
		"IPv6 with brackets and port":    {"127.0.0.1:80", []string{"[2001:db8::1]:4711"}, 1, "2001:db8::/64"},
		"past the proxies":               {"192.0.2.1:80", nil, 2, "192.0.2.1"},
		"fewer hops than proxies":        {"192.0.2.1:80", []string{"203.0.113.9"}, 2, "192.0.2.1"},
		"no address":                     {"192.0.2.1:80", []string{"unknown"}, 1, "192.0.2.1"},
		"a Unix socket":                  {"@", nil, 0, "@"},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.RemoteAddr = test.remote
		r.Header["X-Forwarded-For"] = test.forwarded
		assert.Equal(t, test.want, addressOf(r, test.proxies), name)
	}
}
