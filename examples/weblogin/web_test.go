package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

// deliver posts an event that says a session was approved.
func deliver(t *testing.T, site, session string, sign func([]byte) string) int {
	t.Helper()
	payload, err := json.Marshal(map[string]any{
		"id":        fmt.Sprintf("evt_%d", time.Now().UnixNano()),
		"type":      mid.EventAuthenticationCompleted,
		"timestamp": time.Now().UnixMilli(),
		"data":      map[string]any{"id": session, "status": "approved", "user_id": "user_mallory"},
	})
	must(t, err)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, site+webhookPath, bytes.NewReader(payload))
	must(t, err)
	r.Header.Set(mid.SignatureHeader, sign(payload))
	answer, err := http.DefaultClient.Do(r)
	must(t, err)
	answer.Body.Close()
	return answer.StatusCode
}

// signedIn returns a browser in which somebody is signed in.
func (w *world) signedIn(user string) *visitor {
	w.t.Helper()
	v := w.visitor()
	session := v.start()
	events := v.listen()
	must(w.t, w.Approve(session, user))
	for s := waiting; s == waiting; {
		s = events.next()
	}
	if got := v.do(http.MethodGet, "/signin").user(); got != user {
		w.t.Fatalf("signed in as %q", got)
	}
	return v
}

func TestSignOut(t *testing.T) {
	w := newWorld(t, byWebhook, nil)
	v, thief := w.signedIn("user_ada_marsh"), w.visitor()
	thief.hold(sessionCookie, v.cookie(sessionCookie))
	if got := v.user(); got != "user_ada_marsh" {
		t.Fatalf("the user is %q", got)
	}
	if p := v.do(http.MethodPost, "/signout"); p.path != "/" || p.user() != "" {
		t.Errorf("at %s as %q", p.path, p.user())
	}
	if left := v.cookies(); len(left) != 0 {
		t.Errorf("cookies left: %v", left)
	}
	if got := thief.user(); got != "" {
		t.Errorf("a copy of the cookie is still good for %q", got)
	}
	if p := v.do(http.MethodGet, "/signout"); p.status != http.StatusMethodNotAllowed {
		t.Errorf("GET answers %d: a link could sign people out", p.status)
	}
}

func TestTamperedCookies(t *testing.T) {
	w := newWorld(t, byWebhook, nil)
	good := w.signedIn("user_ada_marsh").cookie(sessionCookie)
	text, signature, _ := strings.Cut(good, ".")
	flip := func(s string) string {
		b := []byte(s)
		b[len(b)/2] ^= 1
		return string(b)
	}
	other := newSessions(bytes.Repeat([]byte("x"), keySize))
	foreign, err := other.issue(&mid.AuthenticationResult{UserID: "user_mallory"})
	must(t, err)
	old, err := w.app.sessions.seal(person{Session: "1", UserID: "user_mallory", Until: time.Now().Add(-time.Second)})
	must(t, err)
	unbound := hmac.New(sha256.New, w.app.cookieKey)
	unbound.Write([]byte(text))
	for name, value := range map[string]string{
		"expired":           old,
		"another purpose":   text + "." + base64.RawURLEncoding.EncodeToString(unbound.Sum(nil)),
		"payload changed":   flip(text) + "." + signature,
		"signature changed": text + "." + flip(signature),
		"not signed":        text + ".",
		"no signature":      text,
		"only a signature":  "." + signature,
		"another key":       foreign,
		"no base64":         "$.$",
		"one dot":           ".",
	} {
		v := w.visitor()
		v.hold(sessionCookie, value)
		if got := v.user(); got != "" {
			t.Errorf("%s: signed in as %q", name, got)
		}
	}
}

func TestSessionsExpire(t *testing.T) {
	s := newSessions(bytes.Repeat([]byte("k"), keySize))
	value, err := s.issue(&mid.AuthenticationResult{UserID: "user_ada_marsh"})
	must(t, err)
	p, ok := s.check(value)
	if left := time.Until(p.Until); !ok || left > sessionLife || left < sessionLife-time.Minute {
		t.Fatalf("a new cookie is good: %v, for %v", ok, left)
	}
	s.end(person{Session: "long ago", Until: time.Now().Add(-time.Second)})
	s.end(p)
	if len(s.ended) != 1 {
		t.Errorf("%d sign-outs are remembered, want that of the cookie that has not expired", len(s.ended))
	}
}

func TestHeaders(t *testing.T) {
	w := newWorld(t, byWebhook, nil)
	v := w.visitor()
	v.start()
	for _, path := range []string{"/", "/signin", "/static/app.css", "/static/app.js", "/missing", webhookPath} {
		p := v.do(http.MethodGet, path)
		policy := p.header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self';", "style-src 'self';", "img-src 'self' data:;", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("%s: the policy lacks %s: %s", path, want, policy)
			}
		}
		for name, want := range map[string]string{"Referrer-Policy": "same-origin", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY"} {
			if got := p.header.Get(name); got != want {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
		wantCache := "no-store"
		if strings.HasPrefix(path, "/static/") {
			wantCache = "no-cache"
		}
		if got := p.header.Get("Cache-Control"); got != wantCache {
			t.Errorf("%s: Cache-Control is %q", path, got)
		}
		if strings.HasPrefix(p.header.Get("Content-Type"), "text/html") && (strings.Contains(p.body, "style=") || strings.Contains(p.body, "<style") || strings.Contains(p.body, "onclick")) {
			t.Errorf("%s has styles or scripts that its own policy forbids", path)
		}
	}
}

func TestStaticFilesAreNotSentTwice(t *testing.T) {
	v := newWorld(t, byWebhook, nil).visitor()
	p := v.do(http.MethodGet, "/static/app.css")
	if p.status != http.StatusOK || !strings.HasPrefix(p.header.Get("Content-Type"), "text/css") {
		t.Fatalf("%d %s", p.status, p.header.Get("Content-Type"))
	}
	if again := v.do(http.MethodGet, "/static/app.css", "If-None-Match", p.header.Get("ETag")); again.status != http.StatusNotModified {
		t.Errorf("asked again, it answers %d", again.status)
	}
	for _, path := range []string{"/static/", "/static/../templates/home.html", "/static/none.js"} {
		if p := v.do(http.MethodGet, path); p.status != http.StatusNotFound {
			t.Errorf("%s answers %d", path, p.status)
		}
	}
}

func TestOtherSitesCanNotPost(t *testing.T) {
	w := newWorld(t, byWebhook, nil)
	v := w.signedIn("user_ada_marsh")
	for _, header := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Sec-Fetch-Site", "", "Origin", "https://shop.example"}} {
		for _, path := range []string{"/signin", "/signout"} {
			if p := v.do(http.MethodPost, path, header...); p.status != http.StatusForbidden {
				t.Errorf("%s with %v answers %d", path, header, p.status)
			}
		}
	}
	if got := v.user(); got != "user_ada_marsh" {
		t.Errorf("the user is %q", got)
	}
	if n := len(w.AuthSessions()); n != 1 {
		t.Errorf("%d sessions were created", n)
	}
}

func TestCookiesOverHTTPS(t *testing.T) {
	for name, test := range map[string]struct {
		url   string
		https bool
	}{
		"itself":       {"https://shop.example/signin", false},
		"by a proxy":   {"http://shop.example/signin", true},
		"plain (demo)": {"http://shop.example/signin", false},
	} {
		w := newWorld(t, byWebhook, func(a *app, _ *http.Server) { a.https = test.https })
		answer := httptest.NewRecorder()
		w.app.handler().ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodPost, test.url, nil))
		c := answer.Result().Cookies()[0]
		secure := !strings.HasPrefix(name, "plain")
		wantName := flowCookie
		if secure {
			wantName = "__Host-" + flowCookie
		}
		if c.Name != wantName || c.Secure != secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.MaxAge <= 0 {
			t.Errorf("%s: %v", name, c)
		}
	}
}

// The server's timeouts are shorter than a flow, and a quiet stream has to
// outlive both of them many times over.
func TestStreamOutlivesTheServersTimeouts(t *testing.T) {
	const timeout = 100 * time.Millisecond
	w := newWorld(t, byWebhook, func(a *app, s *http.Server) {
		a.beat = timeout / 10
		s.ReadTimeout, s.WriteTimeout = timeout, timeout
	})
	v := w.visitor()
	session := v.start()
	events := v.listen()
	events.want(waiting)
	for beats := 0; beats < 50; {
		if !events.lines.Scan() {
			t.Fatalf("the stream ended after %d signs of life: %v", beats, events.lines.Err())
		}
		if events.lines.Text() == ":" {
			beats++
		}
	}
	must(t, w.Approve(session, "user_ada_marsh"))
	events.want(approved, "")
}

func TestStreamsEndWithTheServer(t *testing.T) {
	w := newWorld(t, byWebhook, nil)
	v := w.visitor()
	v.start()
	events := v.listen()
	events.want(waiting)
	w.app.stop()
	events.want("") // without a word that the code has expired
	if p := v.do(http.MethodPost, "/signin"); p.status != http.StatusServiceUnavailable {
		t.Errorf("a flow begins in a stopped app: %d", p.status)
	}
}

func TestBounds(t *testing.T) {
	w := newWorld(t, byWebhook, nil)
	v := w.visitor()
	v.start()
	for range maxStreams {
		v.listen().want(waiting)
	}
	if p := v.do(http.MethodGet, "/signin/events"); p.status != http.StatusTooManyRequests {
		t.Errorf("one stream too many answers %d", p.status)
	}

	full := cap(w.app.flows.slots) - len(w.app.flows.slots)
	for range full {
		w.app.flows.slots <- struct{}{}
	}
	p := w.visitor().do(http.MethodPost, "/signin")
	if p.status != http.StatusServiceUnavailable || p.header.Get("Retry-After") == "" {
		t.Errorf("one flow too many answers %d", p.status)
	}
	if n := len(w.AuthSessions()); n != 1 {
		t.Errorf("MID has %d sessions, want that of the one flow", n)
	}
	for range full {
		<-w.app.flows.slots
	}
}

func TestMIDIsDown(t *testing.T) {
	w := newWorld(t, byWebhook, nil)
	w.Inject(midtest.Fault{Path: "/auth/sessions", Status: http.StatusForbidden})
	v := w.visitor()
	if p := v.do(http.MethodPost, "/signin"); p.status != http.StatusServiceUnavailable || p.match(`(Try again)`) == "" {
		t.Errorf("%d\n%s", p.status, p.body)
	}
	v.start() // it works again, and the slot was given back
}
