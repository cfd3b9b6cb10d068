package main

import (
	"fmt"
	"net/http"
	"time"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

const maxForm = 64 << 10

// actOnItem is what the phone, the verifier or time does to a session or a
// verification.
func (s *site) actOnItem(w http.ResponseWriter, r *http.Request) {
	p, ok := s.find(r.PathValue("id"))
	if !ok {
		s.notFound(w, r)
		return
	}
	id := p.Item.Key()
	act := s.actions(p.Kind, id, r.PostForm.Get("user_id"))[r.PathValue("action")]
	page := "/phone/" + id
	switch {
	case act == nil:
		s.notFound(w, r)
	case act() != nil:
		s.tooLate(w, r, id, page)
	default:
		goBack(w, r, page, id)
	}
}

// actions are what can be done to a kind of item.
func (s *site) actions(kind, id, userID string) map[string]func() error {
	complete := func(status mid.VerificationStatus) func() error {
		return func() error { return s.srv.CompleteVerification(id, midtest.Outcome{Status: status}) }
	}
	acts := map[string]func() error{}
	switch kind {
	case "auth":
		acts["scan"] = func() error { return s.srv.Scan(id) }
		acts["approve"] = func() error { return s.srv.Approve(id, userID) }
		acts["reject"] = func() error { return s.srv.Reject(id) }
	case "verification":
		acts["verify"] = complete(mid.VerificationVerified)
		acts["reject"] = complete(mid.VerificationRejected)
	}
	acts["expire"] = func() error { return s.srv.Expire(id) }
	return acts
}

func (s *site) actAsSigner(w http.ResponseWriter, r *http.Request) {
	p, ok := s.findSigner(r.PathValue("link"))
	act := map[string]func(sessionID, signer string) error{"sign": s.srv.Sign, "decline": s.srv.Decline}[r.PathValue("action")]
	if !ok || act == nil {
		s.notFound(w, r)
		return
	}
	session := p.Signer.Session.ID
	page := "/sign/" + p.Signer.Key()
	if act(session, p.Signer.SignURL) != nil {
		s.tooLate(w, r, session, page)
		return
	}
	goBack(w, r, page, session)
}

func (s *site) redeliver(w http.ResponseWriter, r *http.Request) {
	if err := s.srv.Redeliver(r.PathValue("id")); err != nil {
		s.notFound(w, r)
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

// tooLate tells that somebody else was faster: another browser, or time.
func (s *site) tooLate(w http.ResponseWriter, r *http.Request, id, page string) {
	p, ok := s.find(id)
	if !ok {
		s.notFound(w, r)
		return
	}
	render(w, http.StatusConflict, "message.html", message{
		frame:     frame{Title: "Too late", Now: time.Now()},
		Text:      fmt.Sprintf("This was not possible any more: %s is %s by now.", id, p.Item.Reached()),
		Back:      page,
		BackLabel: "See it as it is",
	})
}
