package main

import (
	"bytes"
	"embed"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

// This file and the folder demo are the demonstration: a fake MID and a page
// that plays the phone. Delete them, and what uses them in run, in a product.

//go:embed demo
var demoFiles embed.FS

var phonePage = template.Must(template.ParseFS(demoFiles, "demo/phone.html"))

const phonePath = "/demo/phone"

// demo is a fake MID that serves a phone beside its API.
type demo struct{ *midtest.Server }

func startDemo() *demo {
	d := &demo{midtest.NewServer()}
	d.HandlePages(d.pages())
	return d
}

// configure has cfg use the fake MID, which reaches the site directly.
func (d *demo) configure(cfg config, site string) config {
	cfg.client = d.Client(mid.WithAppInfo("weblogin", ""))
	cfg.callbackURL = site + webhookPath
	cfg.poll.MaxInterval = time.Second // nobody pays for these requests
	cfg.phoneURL = strings.TrimSuffix(d.URL, "/v1") + phonePath
	return cfg
}

func (d *demo) pages() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", http.RedirectHandler(phonePath, http.StatusSeeOther))
	mux.HandleFunc("GET "+phonePath, d.show)
	mux.HandleFunc("POST "+phonePath, d.decide)
	mux.HandleFunc("GET /demo/phone.css", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFileFS(w, r, demoFiles, "demo/phone.css")
	})
	// Even a fake phone approves nothing because another site says so.
	return secured(http.NewCrossOriginProtection().Handler(http.MaxBytesHandler(mux, maxBody)))
}

// show shows the session that the QR code's text names, or the codes that are
// there to be scanned: a laptop has no camera to point at itself.
func (d *demo) show(w http.ResponseWriter, r *http.Request) {
	id := sessionIn(r.FormValue("session"))
	data := struct {
		Session *mid.AuthSession
		Missing bool
		Open    []mid.AuthSession
	}{Session: d.find(id), Open: d.open()}
	data.Missing = id != "" && data.Session == nil

	var b bytes.Buffer
	if err := phonePage.Execute(&b, data); err != nil {
		slog.Error("can't render the phone", slog.Any("error", err))
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if _, err := b.WriteTo(w); err != nil {
		slog.Debug("a browser went away", slog.Any("error", err))
	}
}

// decide does what the phone's user pressed.
func (d *demo) decide(w http.ResponseWriter, r *http.Request) {
	id := sessionIn(r.PostFormValue("session"))
	err := errors.New("no such button")
	switch r.PostFormValue("action") {
	case "scan":
		err = d.Scan(id)
	case "approve":
		err = d.Approve(id, r.PostFormValue("user"))
	case "reject":
		err = d.Reject(id)
	}
	if err != nil {
		// It expired in the meantime, or was decided in another tab: the page
		// shows how it is.
		slog.Debug("the phone was late", slog.Any("error", err))
	}
	http.Redirect(w, r, phonePath+"?session="+url.QueryEscape(id), http.StatusSeeOther)
}

// sessionIn takes the session's id out of a QR code's text, or returns the text
// if it is an id already.
func sessionIn(text string) string {
	text = strings.TrimSpace(text)
	if u, err := url.Parse(text); err == nil && u.Scheme == "mid" {
		return u.Query().Get("session")
	}
	return text
}

func (d *demo) find(id string) *mid.AuthSession {
	for _, s := range d.AuthSessions() {
		if s.ID == id {
			return &s
		}
	}
	return nil
}

// open returns the latest sessions that are not decided.
func (d *demo) open() []mid.AuthSession {
	var open []mid.AuthSession
	for _, s := range d.AuthSessions() {
		if !s.Status.Final() && len(open) < 5 {
			open = append(open, s)
		}
	}
	return open
}
