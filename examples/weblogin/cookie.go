package main

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/mobid-io/mid-go"
)

const (
	flowCookie    = "weblogin-flow"    // names a flow: random, dies with it
	sessionCookie = "weblogin-session" // says who is signed in: signed
	keySize       = 32
	sessionLife   = 8 * time.Hour
)

// person is who is signed in, as the session cookie says it. A cookie is read
// by whoever has the browser, so it holds no more than an id.
type person struct {
	Session string    `json:"sid"` // of this sign-in
	UserID  string    `json:"sub"`
	Method  string    `json:"amr,omitempty"`
	Since   time.Time `json:"iat"`
	Until   time.Time `json:"exp"`
}

// sessions issues and checks the values of session cookies. It remembers who
// signed out, in this process alone, until the cookie would have expired: a
// copy of it must not outlive the sign-out.
type sessions struct {
	key []byte

	mu    sync.Mutex
	ended map[string]time.Time // by person.Session: when the cookie expires
}

func newSessions(key []byte) *sessions {
	return &sessions{key: key, ended: make(map[string]time.Time)}
}

// issue returns the cookie value for who approved.
func (s *sessions) issue(result *mid.AuthenticationResult) (string, error) {
	now := time.Now().UTC().Truncate(time.Second)
	return s.seal(person{
		Session: rand.Text(),
		UserID:  result.UserID,
		Method:  result.Method,
		Since:   now,
		Until:   now.Add(sessionLife),
	})
}

func (s *sessions) seal(p person) (string, error) {
	payload, err := json.Marshal(p)
	if err != nil {
		return "", err
	}
	text := base64.RawURLEncoding.EncodeToString(payload)
	return text + "." + base64.RawURLEncoding.EncodeToString(s.mac(text)), nil
}

// check returns who a cookie value was issued for.
func (s *sessions) check(value string) (person, bool) {
	text, signature, _ := strings.Cut(value, ".")
	mac, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil || !hmac.Equal(mac, s.mac(text)) {
		return person{}, false
	}
	payload, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return person{}, false
	}
	var p person
	if err := json.Unmarshal(payload, &p); err != nil || !time.Now().Before(p.Until) {
		return person{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ended := s.ended[p.Session]
	return p, !ended
}

// end makes a person's cookie worthless. Only an approval on a phone makes one
// that can be ended, and it is forgotten when it expires, so this stays small.
func (s *sessions) end(p person) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, until := range s.ended {
		if !time.Now().Before(until) {
			delete(s.ended, id)
		}
	}
	s.ended[p.Session] = p.Until
}

// mac signs for one purpose: the key may serve others too.
func (s *sessions) mac(text string) []byte {
	h := hmac.New(sha256.New, s.key)
	h.Write([]byte("weblogin session\x00" + text))
	return h.Sum(nil)
}

// secure reports whether the browser that sent r came by https.
func (a *app) secure(r *http.Request) bool { return a.https || r.TLS != nil }

// cookieName adds the prefix that stops other hosts of the domain, and plain
// http, from setting the cookie. Browsers take it by https alone.
func (a *app) cookieName(r *http.Request, name string) string {
	if a.secure(r) {
		return "__Host-" + name
	}
	return name
}

func (a *app) setCookie(w http.ResponseWriter, r *http.Request, name, value string, life time.Duration) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // not Secure over plain http, which greet warns of
		Name:     a.cookieName(r, name),
		Value:    value,
		Path:     "/",
		MaxAge:   int(life.Seconds()),
		HttpOnly: true,
		Secure:   a.secure(r),
		SameSite: http.SameSiteLaxMode,
	})
}

func (a *app) dropCookie(w http.ResponseWriter, r *http.Request, name string) {
	a.setCookie(w, r, name, "", -time.Second)
}

// cookie returns the value of a cookie, or "".
func (a *app) cookie(r *http.Request, name string) string {
	c, err := r.Cookie(a.cookieName(r, name))
	if err != nil {
		return ""
	}
	return c.Value
}
