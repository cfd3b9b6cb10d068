package main

import (
	"net/http"

	"github.com/mobid-io/mid-go/midtest"
)

// policy lets the page load its own style, script and pictures, and nothing
// else: no name or document that an API client made up can bring in more.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// newSite is everything beside the API.
func newSite(srv *midtest.Server, hosts guard) http.Handler {
	s := state{srv, hosts}
	v, a := views{s}, actions{s}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", v.showBoard)
	mux.HandleFunc("GET /phone/{id}", v.showItem)
	mux.HandleFunc("POST /phone/{id}/{action}", withForm(a.actOnItem))
	mux.HandleFunc("GET /phone/{id}/qr.png", v.showQR)
	mux.HandleFunc("GET /sign/{link}", v.showSigner)
	mux.HandleFunc("POST /sign/{link}/{action}", withForm(a.actAsSigner))
	mux.HandleFunc("POST /webhooks/{id}/redeliver", withForm(a.redeliver))
	mux.HandleFunc("GET /live", live{s.version}.serve)
	for _, name := range []string{"mid-mock.css", "mid-mock.js", "icon.svg"} {
		mux.HandleFunc("GET /static/"+name, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "no-cache") // a new mid-mock may have a new one
			http.ServeFileFS(w, r, web, "web/"+name)
		})
	}
	mux.HandleFunc("/", notFound)
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
