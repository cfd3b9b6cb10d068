package midweb

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

var testKey = []byte("a key of thirty-two bytes or more")

// world is a site, the MID that it talks to, and no one in it yet. It lives in
// a bubble of synctest, where waiting takes no time.
type world struct {
	*midtest.Server
	*SignIn
	t      *testing.T
	client *mid.Client
	in     []string // who was signed in, in order
}

// inWorld runs a test in a world. change may alter the config first.
func inWorld(t *testing.T, change func(*Config), test func(t *testing.T, w *world), options ...midtest.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		srv := midtest.NewServer(append([]midtest.Option{midtest.WithInMemory()}, options...)...)
		defer srv.Close()
		w := &world{Server: srv, t: t, client: srv.Client()}
		srv.HandleCallbacks(w.client.Webhooks.Handler(mid.EventHandlers{}))
		w.SignIn = w.process(change)
		defer func() {
			w.SignIn.Close()
			time.Sleep(time.Minute) // what a call that was given up has left behind ends
		}()
		test(t, w)
	})
}

// process is another process of the same site, or the first.
func (w *world) process(change func(*Config)) *SignIn {
	w.t.Helper()
	cfg := Config{
		Keys: [][]byte{testKey},
		SignedIn: func(_ http.ResponseWriter, _ *http.Request, result *mid.AuthenticationResult) {
			w.in = append(w.in, result.UserID)
		},
		Name: "Alder & Finch",
	}
	if change != nil {
		change(&cfg)
	}
	s, err := New(w.client, cfg)
	require.NoError(w.t, err)
	return s
}

// count returns how many requests MID got for a method and the beginning of a
// path.
func (w *world) count(method, path string) int {
	n := 0
	for _, r := range w.Requests() {
		if r.Method == method && strings.HasPrefix(r.Path, path) {
			n++
		}
	}
	return n
}

// visitor is a browser of its own, at a process of the site.
type visitor struct {
	t       *testing.T
	site    http.Handler
	address string
	cookies map[string]string
	header  http.Header
}

func (w *world) visitor() *visitor { return visit(w.t, w.SignIn) }

func visit(t *testing.T, site http.Handler) *visitor {
	return &visitor{t: t, site: site, address: "192.0.2.1:1234", cookies: make(map[string]string), header: make(http.Header)}
}

// copy is another browser that has stolen all cookies of this one.
func (v *visitor) copy() *visitor {
	thief := *v
	thief.cookies, thief.header = maps.Clone(v.cookies), v.header.Clone()
	return &thief
}

func (v *visitor) request(method, path string, form url.Values) *http.Request {
	r := httptest.NewRequestWithContext(v.t.Context(), method, "https://shop.example/signin/"+path, strings.NewReader(form.Encode()))
	r.RemoteAddr = v.address
	maps.Copy(r.Header, v.header)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if r.Header.Get("Sec-Fetch-Site") == "" {
			r.Header.Set("Sec-Fetch-Site", "same-origin")
		}
	}
	for name, value := range v.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	return r
}

// screen is an answer.
type screen struct {
	status   int
	location string
	header   http.Header
	body     string
}

// do sends one request, and follows no redirect.
func (v *visitor) do(method, path string, form url.Values) screen {
	v.t.Helper()
	answer := httptest.NewRecorder()
	v.site.ServeHTTP(answer, v.request(method, path, form))
	return v.take(answer.Result())
}

func (v *visitor) take(answer *http.Response) screen {
	for _, c := range answer.Cookies() {
		if c.MaxAge < 0 {
			delete(v.cookies, c.Name)
		} else {
			v.cookies[c.Name] = c.Value
		}
	}
	body, err := io.ReadAll(answer.Body)
	require.NoError(v.t, err)
	return screen{answer.StatusCode, answer.Header.Get("Location"), answer.Header, string(body)}
}

func (v *visitor) get(path string) screen { v.t.Helper(); return v.do(http.MethodGet, path, nil) }

// start begins to sign in and returns the id of the session in the QR code.
func (v *visitor) start() (session string) {
	v.t.Helper()
	p := v.do(http.MethodPost, "", nil)
	require.Equal(v.t, http.StatusSeeOther, p.status, p.body)
	require.Equal(v.t, "./", p.location)
	p = v.get("")
	require.Equal(v.t, waiting, p.state(), p.body)
	return p.find(v.t, `href="mid://auth\?session=([^"]+)"`)
}

func (p screen) match(pattern string) string {
	if m := regexp.MustCompile(pattern).FindStringSubmatch(p.body); m != nil {
		return m[1]
	}
	return ""
}

func (p screen) find(t *testing.T, pattern string) string {
	t.Helper()
	found := p.match(pattern)
	require.NotEmpty(t, found, "no %s in the page:\n%s", pattern, p.body)
	return found
}

func (p screen) state() state {
	if p.match(`data-page="(signin)"`) == "" {
		return state(p.match(`data-page="(\w+)"`))
	}
	return state(p.match(`data-state="(\w+)"`))
}

// tab is an open stream of a page that shows a state.
type tab struct {
	t      *testing.T
	header http.Header
	events chan event // closed at the end of the answer
	close  context.CancelFunc
}

func (v *visitor) listen(of string, seen state) *tab {
	v.t.Helper()
	r := v.request(http.MethodGet, "events?"+url.Values{"of": {of}, "seen": {string(seen)}}.Encode(), nil)
	ctx, cancel := context.WithCancel(v.t.Context())
	reader, writer := io.Pipe()
	answer := &pipeWriter{header: make(http.Header), Writer: writer}
	go func() {
		v.site.ServeHTTP(answer, r.WithContext(ctx))
		writer.Close()
	}()
	tb := &tab{t: v.t, header: answer.header, events: make(chan event, 100), close: cancel}
	go func() {
		defer close(tb.events)
		for lines := bufio.NewScanner(reader); lines.Scan(); {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				var e event
				if json.Unmarshal([]byte(data), &e) == nil {
					tb.events <- e
				}
			}
		}
	}()
	return tb
}

// page opens the page and its stream.
func (v *visitor) page() *tab {
	v.t.Helper()
	p := v.get("")
	return v.listen(p.find(v.t, `data-of="([^"]+)"`), p.state())
}

func (tb *tab) want(states ...state) {
	tb.t.Helper()
	for _, s := range states {
		select {
		case e := <-tb.events:
			require.Equal(tb.t, s, e.State)
		case <-time.After(2 * streamLife):
			require.FailNow(tb.t, "nothing comes", "want %q", s)
		}
	}
}

// pipeWriter is an answer that is read as it is written. It can't flush.
type pipeWriter struct {
	header http.Header
	io.Writer
}

func (p *pipeWriter) Header() http.Header { return p.header }
func (p *pipeWriter) WriteHeader(int)     {}
