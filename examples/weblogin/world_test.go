package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

// patience bounds every wait of these tests.
const patience = 20 * time.Second

var (
	byWebhook = mid.PollOptions{MinInterval: time.Hour, MaxInterval: time.Hour}
	byPolling = mid.PollOptions{MinInterval: 5 * time.Millisecond, MaxInterval: 10 * time.Millisecond}
)

// world is a site, the MID that it talks to, and nobody in it yet.
type world struct {
	*midtest.Server
	t    *testing.T
	app  *app
	site *httptest.Server
}

// newWorld starts a site. change may alter the app and the server first.
func newWorld(t *testing.T, poll mid.PollOptions, change func(*app, *http.Server)) *world {
	t.Helper()
	w := &world{t: t, Server: midtest.NewServer(), site: httptest.NewUnstartedServer(nil)}
	cfg := config{
		client:    w.Client(),
		poll:      poll,
		cookieKey: bytes.Repeat([]byte("k"), keySize),
		log:       slog.New(slog.DiscardHandler),
	}
	if poll == byWebhook {
		cfg.callbackURL = "http://" + w.site.Listener.Addr().String() + webhookPath
	}
	w.app = newApp(cfg)
	if change != nil {
		change(w.app, w.site.Config)
	}
	w.site.Config.Handler = w.app.handler()
	w.site.Start()
	t.Cleanup(func() {
		w.app.stop()
		w.site.Close()
		w.app.wait()
		w.Close()
		if n := len(w.app.flows.slots); n != 0 || len(w.app.flows.byBrowser) != 0 || len(w.app.flows.bySession) != 0 {
			t.Errorf("%d flows are left over", n)
		}
	})
	return w
}

// visitor is a browser of its own.
type visitor struct {
	t    *testing.T
	site string
	http *http.Client
}

func (w *world) visitor() *visitor { return visit(w.t, w.site.URL, w.site.Client()) }

func visit(t *testing.T, site string, client *http.Client) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{t: t, site: site, http: &http.Client{Transport: client.Transport, Jar: jar, Timeout: patience}}
}

// screen is what a browser shows after it followed redirects.
type screen struct {
	status int
	path   string
	header http.Header
	body   string
}

func (v *visitor) do(method, path string, header ...string) screen {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), method, v.site+path, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := v.http.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return screen{answer.StatusCode, answer.Request.URL.Path, answer.Header, string(body)}
}

// start begins to sign in and returns the id of the session in the QR code.
func (v *visitor) start() (session string) {
	v.t.Helper()
	p := v.do(http.MethodPost, "/signin")
	if got := p.state(); got != waiting {
		v.t.Fatalf("a new flow is %q; page:\n%s", got, p.body)
	}
	return p.find(v.t, `href="mid://auth\?session=([^"]+)"`)
}

// user is who the browser is signed in as, or "".
func (v *visitor) user() string {
	v.t.Helper()
	return v.do(http.MethodGet, "/").user()
}

func (v *visitor) cookies() []*http.Cookie {
	u, err := url.Parse(v.site)
	if err != nil {
		v.t.Fatal(err)
	}
	return v.http.Jar.Cookies(u)
}

func (v *visitor) cookie(name string) string {
	for _, c := range v.cookies() {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// hold puts a cookie into the browser that it was not given.
func (v *visitor) hold(name, value string) {
	u, err := url.Parse(v.site)
	if err != nil {
		v.t.Fatal(err)
	}
	v.http.Jar.SetCookies(u, []*http.Cookie{{Name: name, Value: value, Path: "/"}})
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
	if found == "" {
		t.Fatalf("no %s in the page at %s:\n%s", pattern, p.path, p.body)
	}
	return found
}

func (p screen) state() state { return state(p.match(`data-state="(\w+)"`)) }
func (p screen) user() string { return p.match(`id="user">([^<]+)<`) }

// listener is an open stream of events.
type listener struct {
	t     *testing.T
	lines *bufio.Scanner
}

func (v *visitor) listen() *listener {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.t.Context(), patience)
	v.t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, v.site+"/signin/events", nil)
	if err != nil {
		v.t.Fatal(err)
	}
	answer, err := v.http.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	v.t.Cleanup(func() { answer.Body.Close() })
	if got := answer.Header.Get("Content-Type"); answer.StatusCode != http.StatusOK || got != "text/event-stream" {
		v.t.Fatalf("the stream answers %d %q", answer.StatusCode, got)
	}
	return &listener{v.t, bufio.NewScanner(answer.Body)}
}

// next returns the next state, or "" when the stream has ended.
func (l *listener) next() state {
	l.t.Helper()
	for l.lines.Scan() {
		data, ok := strings.CutPrefix(l.lines.Text(), "data: ")
		if !ok {
			continue
		}
		var e event
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			l.t.Fatal(err)
		}
		return e.State
	}
	return ""
}

func (l *listener) want(states ...state) {
	l.t.Helper()
	for _, want := range states {
		if got := l.next(); got != want {
			l.t.Fatalf("the stream tells %q, want %q; %v", got, want, l.lines.Err())
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// verifications counts how often MID was asked who approved.
func (w *world) verifications() int {
	n := 0
	for _, r := range w.Requests() {
		if r.Path == "/auth/verify" {
			n++
		}
	}
	return n
}
