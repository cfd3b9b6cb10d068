package main

import (
	"crypto/rand"
	"html/template"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/mobid-io/mid-go"
)

// site remembers who is signed in. A product has a store for that, and looks up
// its own user by the id.
type site struct{ sessions sync.Map } // user ids, by cookie

func (s *site) signedIn(w http.ResponseWriter, _ *http.Request, result *mid.AuthenticationResult) {
	const life = 8 * time.Hour
	session := rand.Text()
	s.sessions.Store(session, result.UserID)
	time.AfterFunc(life, func() { s.sessions.Delete(session) })
	http.SetCookie(w, &http.Cookie{Name: "session", Value: session, Path: "/", MaxAge: int(life.Seconds()), //nolint:gosec // Secure with TLS
		HttpOnly: true, Secure: strings.HasPrefix(*origin, "https:"), SameSite: http.SameSiteLaxMode})
}

func (s *site) account(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store") // the redirect, too
	if cookie, err := r.Cookie("session"); err == nil {
		if user, ok := s.sessions.Load(cookie.Value); ok {
			_ = page.Execute(w, user)
			return
		}
	}
	http.Redirect(w, r, "/signin/", http.StatusSeeOther)
}

func (s *site) signOut(w http.ResponseWriter, r *http.Request) {
	if cookie, err := r.Cookie("session"); err == nil {
		s.sessions.Delete(cookie.Value)
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

var page = template.Must(template.New("").Parse(`<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>Your account</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/signin/midweb.css"></head>
<body><main><div class="card narrow" data-page="account"><h1>Good to see you</h1><p>You are <b id="user">{{.}}</b>.</p>
<form method="post" action="/signout"><button class="secondary" id="sign-out">Sign out</button></form></div></main></body></html>`))
