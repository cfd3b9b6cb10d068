package main

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/mobid-io/mid-go"
)

// config is what an app is made of.
type config struct {
	client      *mid.Client
	callbackURL string // where MID reaches webhookPath; empty: polling alone
	poll        mid.PollOptions
	cookieKey   []byte // signs the sign-in cookies
	https       bool   // whether browsers come by https though this server speaks http
	phoneURL    string // the demonstration's phone; empty: people use their own
	log         *slog.Logger
}

// app is the web site.
type app struct {
	config
	flows    *flows
	sessions *sessions
	ctx      context.Context // ends when the app stops
	stop     context.CancelFunc
	beat     time.Duration // between signs of life on a quiet stream
}

// newApp returns an app that works until stop is called.
func newApp(cfg config) *app {
	ctx, cancel := context.WithCancel(context.Background())
	return &app{
		config:   cfg,
		flows:    newFlows(ctx, cfg),
		sessions: newSessions(cfg.cookieKey),
		ctx:      ctx,
		stop:     cancel,
		beat:     15 * time.Second,
	}
}

// wait returns when everything that the app started has ended. It is for after
// stop, when no more requests come.
func (a *app) wait() {
	a.flows.running.Wait()
}

// maxBody bounds the bodies of forms, which have no fields.
const maxBody = 4 << 10

func (a *app) handler() http.Handler {
	site := http.NewServeMux()
	site.HandleFunc("GET /{$}", a.home)
	site.HandleFunc("GET /signin", a.signIn)
	site.HandleFunc("POST /signin", a.startSignIn)
	site.HandleFunc("GET /signin/events", a.events)
	site.HandleFunc("POST /signout", a.signOut)
	site.Handle("GET /static/", static())

	// MID's deliveries come from no browser: their signature tells that they
	// are MID's, and their bodies have a bound of their own.
	all := http.NewServeMux()
	all.Handle("/", http.NewCrossOriginProtection().Handler(http.MaxBytesHandler(site, maxBody)))
	all.Handle(webhookPath, a.webhook())
	return secured(all)
}

// secured adds the headers that keep the pages to themselves: nothing from
// elsewhere runs in them, and they run nowhere else.
func secured(next http.Handler) http.Handler {
	const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
		"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; " +
		"require-trusted-types-for 'script'; trusted-types 'none'"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		// Not no-referrer: with it browsers send these pages' own forms with
		// "Origin: null", which looks like another site's.
		h.Set("Referrer-Policy", "same-origin")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}
