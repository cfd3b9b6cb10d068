package main

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"time"
)

//go:embed web
var web embed.FS

var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"clock": func(t time.Time) string { return t.Local().Format(time.TimeOnly) },
	"stamp": func(t time.Time) string { return t.Format(time.RFC3339) },
	"tone":  tone,
	"label": label,
}).ParseFS(web, "web/*.html"))

// frame is what all pages have in common.
type frame struct {
	Title   string
	Version string // of the state that is shown; empty: the page does not change
	Now     time.Time
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

func notFound(w http.ResponseWriter, _ *http.Request) {
	render(w, http.StatusNotFound, "message.html", message{
		frame:     frame{Title: "Not here", Now: time.Now()},
		Text:      "There is nothing at this address. mid-mock forgets everything when it stops, so the session may be from an earlier run.",
		Back:      "/",
		BackLabel: "All sessions",
	})
}
