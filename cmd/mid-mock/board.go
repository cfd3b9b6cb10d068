package main

import (
	"encoding/base64"
	"net/http"
	"strings"
	"time"
)

// board is the page with everything.
type board struct {
	frame
	BaseURL       string
	Environment   string
	Reachable     bool // by other machines
	Auth          list[authItem]
	Verifications list[verificationItem]
	Signings      list[signingItem]
	Events        list[eventItem]
}

// views are the pages that show the state.
type views struct{ state }

func (v views) newFrame(title string) frame {
	return frame{Title: title, Version: v.version(), Now: time.Now()}
}

func (v views) showBoard(w http.ResponseWriter, _ *http.Request) {
	render(w, http.StatusOK, "board.html", board{
		frame:         v.newFrame("mid-mock"),
		BaseURL:       v.srv.URL,
		Environment:   environment(v.srv),
		Reachable:     v.hosts.reachable(),
		Auth:          newList(v.authItems()),
		Verifications: newList(v.verificationItems()),
		Signings:      newList(v.signingItems()),
		Events:        newList(v.eventItems()),
	})
}

// itemPage is the page of one session or verification.
type itemPage struct {
	frame
	Kind string // the name of the template that draws the item
	Item subject
}

func (v views) showItem(w http.ResponseWriter, r *http.Request) {
	found, kind, ok := v.find(r.PathValue("id"))
	if !ok {
		notFound(w, r)
		return
	}
	render(w, http.StatusOK, "item.html", itemPage{v.newFrame(found.Title()), kind, found})
}

// signerPage is what a signer's link opens.
type signerPage struct {
	frame
	Signer signerItem
}

func (v views) showSigner(w http.ResponseWriter, r *http.Request) {
	signer, ok := v.findSigner(r.PathValue("link"))
	if !ok {
		notFound(w, r)
		return
	}
	render(w, http.StatusOK, "sign.html", signerPage{v.newFrame("Signature requested"), signer})
}

// showQR is the QR code that the API gives out in a data URL, which the policy
// forbids in pages.
func (v views) showQR(w http.ResponseWriter, r *http.Request) {
	session, ok := findItem(v.authItems(), r.PathValue("id"))
	if !ok {
		notFound(w, r)
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
