package browser_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestWitness shows the witness a page that does all that no page may do: the
// other tests are worth nothing if it sees less.
func TestWitness(t *testing.T) {
	for name, tc := range map[string]struct{ policy, html, want string }{
		"console":    {"", `<script>console.error("lost", "it")</script>`, `console.error: "lost" "it"`},
		"exception":  {"", `<script>null.length</script>`, "exception: Uncaught TypeError"},
		"rejection":  {"", `<script>Promise.reject(new Error("nobody waits"))</script>`, "nobody waits"},
		"policy":     {"default-src 'none'", `<p style="color: red">no style of its own</p>`, "ContentSecurityPolicyIssue"},
		"not found":  {"", `<img src="/none.png" alt="">`, "/none.png"},
		"other host": {"", `<img src="http://pictures.example.com/pixel.png" alt="">`, "a request for http://pictures.example.com/pixel.png"},
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/" {
					http.NotFound(w, r)
					return
				}
				w.Header().Set("Content-Security-Policy", tc.policy)
				w.Header().Set("Content-Type", "text/html")
				io.WriteString(w, `<!doctype html><html lang="en"><title>Bad</title><link rel="icon" href="data:,">`+tc.html)
			}))
			t.Cleanup(srv.Close)
			tb := newTab(t)
			tb.open(srv.URL)
			require.Eventually(t, func() bool {
				return strings.Contains(strings.Join(tb.report(), "\n"), tc.want)
			}, patience, pause, "%q", tb.report())
			tb.excuse("") // it is what this test wants
		})
	}
}

func TestLoopback(t *testing.T) {
	for address, want := range map[string]bool{
		"http://127.0.0.1:8080/":       true,
		"https://[::1]/":               true,
		"data:,":                       true,
		"http://localhost.example.com": false,
		"https://192.0.2.1/":           false,
		"wss://mid.example.org/":       false,
		"file:///etc/hosts":            false,
	} {
		assert.Equal(t, want, onLoopback(address), address)
	}
}
