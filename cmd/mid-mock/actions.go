package main

import (
	"fmt"
	"net/http"
	"time"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

const maxForm = 64 << 10

// actions are what the page's buttons do.
type actions struct{ state }

// actOnItem is what the phone, the verifier or time does to a session or a
// verification.
func (a actions) actOnItem(w http.ResponseWriter, r *http.Request) {
	found, kind, ok := a.find(r.PathValue("id"))
	if !ok {
		notFound(w, r)
		return
	}
	id := found.Key()
	act := a.possible(kind, id, r.PostForm.Get("user_id"))[r.PathValue("action")]
	page := "/phone/" + id
	switch {
	case act == nil:
		notFound(w, r)
	case act() != nil:
		a.tooLate(w, r, id, page)
	default:
		goBack(w, r, page, id)
	}
}

// possible are the actions on a kind of item.
func (a actions) possible(kind, id, userID string) map[string]func() error {
	complete := func(status mid.VerificationStatus) func() error {
		return func() error { return a.srv.CompleteVerification(id, midtest.Outcome{Status: status}) }
	}
	acts := map[string]func() error{}
	switch kind {
	case "auth":
		acts["scan"] = func() error { return a.srv.Scan(id) }
		acts["approve"] = func() error { return a.srv.Approve(id, userID) }
		acts["reject"] = func() error { return a.srv.Reject(id) }
	case "verification":
		acts["verify"] = complete(mid.VerificationVerified)
		acts["reject"] = complete(mid.VerificationRejected)
	}
	acts["expire"] = func() error { return a.srv.Expire(id) }
	return acts
}

func (a actions) actAsSigner(w http.ResponseWriter, r *http.Request) {
	signer, ok := a.findSigner(r.PathValue("link"))
	act := map[string]func(sessionID, signer string) error{"sign": a.srv.Sign, "decline": a.srv.Decline}[r.PathValue("action")]
	if !ok || act == nil {
		notFound(w, r)
		return
	}
	session := signer.Session.ID
	page := "/sign/" + signer.Key()
	if act(session, signer.SignURL) != nil {
		a.tooLate(w, r, session, page)
		return
	}
	goBack(w, r, page, session)
}

func (a actions) redeliver(w http.ResponseWriter, r *http.Request) {
	if err := a.srv.Redeliver(r.PathValue("id")); err != nil {
		notFound(w, r)
		return
	}
	http.Redirect(w, r, "/#webhooks", http.StatusSeeOther)
}

// withForm reads the form for next.
func withForm(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			http.Error(w, "mid-mock: the form can't be read: "+err.Error(), http.StatusBadRequest)
			return
		}
		next(w, r)
	}
}

// goBack leads to where the button was: the item's own page, or its place on
// the board.
func goBack(w http.ResponseWriter, r *http.Request, page, id string) {
	if r.PostForm.Get("from") != "page" {
		page = "/#" + id
	}
	http.Redirect(w, r, page, http.StatusSeeOther)
}

// tooLate is the answer if someone else was faster: another browser, or time.
func (a actions) tooLate(w http.ResponseWriter, r *http.Request, id, page string) {
	found, _, ok := a.find(id)
	if !ok {
		notFound(w, r)
		return
	}
	render(w, http.StatusConflict, "message.html", message{
		frame:     frame{Title: "Too late", Now: time.Now()},
		Text:      fmt.Sprintf("This was not possible any more: %s is %s by now.", id, found.Reached()),
		Back:      page,
		BackLabel: "See it as it is",
	})
}
