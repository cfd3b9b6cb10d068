package main

import (
	"bytes"
	"embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/mobid-io/mid-go/midtest"
)

//go:embed web
var web embed.FS

var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"clock": func(t time.Time) string { return t.Local().Format(time.TimeOnly) },
	"stamp": func(t time.Time) string { return t.Format(time.RFC3339) },
	"tone":  tone,
	"label": label,
}).ParseFS(web, "web/*.html"))

// policy lets the page load its own style, script and pictures, and nothing
// else: no name or document that an API client made up can bring in more.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// site is the page.
type site struct{ srv *midtest.Server }

func (s *site) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.showBoard)
	mux.HandleFunc("GET /phone/{id}", s.showItem)
	mux.HandleFunc("POST /phone/{id}/{action}", withForm(s.actOnItem))
	mux.HandleFunc("GET /phone/{id}/qr.png", s.showQR)
	mux.HandleFunc("GET /sign/{link}", s.showSigner)
	mux.HandleFunc("POST /sign/{link}/{action}", withForm(s.actAsSigner))
	mux.HandleFunc("POST /webhooks/{id}/redeliver", withForm(s.redeliver))
	mux.HandleFunc("GET /live", s.live)
	for _, name := range []string{"mid-mock.css", "mid-mock.js", "icon.svg"} {
		mux.HandleFunc("GET /static/"+name, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "no-cache") // a new mid-mock may have a new one
			http.ServeFileFS(w, r, web, "web/"+name)
		})
	}
	mux.HandleFunc("/", s.notFound)
	return secured(http.NewCrossOriginProtection().Handler(mux))
}

func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// frame is what all pages have in common.
type frame struct {
	Title   string
	Version string // of the state that is shown; empty: the page does not change
	Now     time.Time
}

func (s *site) newFrame(title string) frame {
	return frame{Title: title, Version: s.version(), Now: time.Now()}
}

// render writes a page whole or, if its template fails, not at all.
func render(w http.ResponseWriter, status int, name string, data any) {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, data); err != nil {
		http.Error(w, "mid-mock: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // it fails if the browser is gone
}

// message is a page that says one thing.
type message struct {
	frame
	Text      string
	Back      string
	BackLabel string
}

func (s *site) notFound(w http.ResponseWriter, _ *http.Request) {
	render(w, http.StatusNotFound, "message.html", message{
		frame:     frame{Title: "Not here", Now: time.Now()},
		Text:      "There is nothing at this address. mid-mock forgets everything when it stops, so the session may be from an earlier run.",
		Back:      "/",
		BackLabel: "All sessions",
	})
}

func (s *site) showBoard(w http.ResponseWriter, _ *http.Request) {
	render(w, http.StatusOK, "board.html", s.board())
}

func (s *site) showItem(w http.ResponseWriter, r *http.Request) {
	p, ok := s.find(r.PathValue("id"))
	if !ok {
		s.notFound(w, r)
		return
	}
	p.frame = s.newFrame(p.Item.Title())
	render(w, http.StatusOK, "item.html", p)
}

func (s *site) showSigner(w http.ResponseWriter, r *http.Request) {
	p, ok := s.findSigner(r.PathValue("link"))
	if !ok {
		s.notFound(w, r)
		return
	}
	p.frame = s.newFrame("Signature requested")
	render(w, http.StatusOK, "sign.html", p)
}

// showQR is the QR code that the API gives out in a data URL, which the policy
// forbids in pages.
func (s *site) showQR(w http.ResponseWriter, r *http.Request) {
	session, ok := findItem(s.authItems(), r.PathValue("id"))
	if !ok {
		s.notFound(w, r)
		return
	}
	_, encoded, _ := strings.Cut(session.QRCode, ",")
	image, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		http.Error(w, "mid-mock: the QR code is broken: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "image/png")
	_, _ = w.Write(image) // it fails if the browser is gone
}
