package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

func TestSignInByWebhook(t *testing.T) {
	w := newWorld(t, byWebhook, nil)
	v := w.visitor()
	if got := v.user(); got != "" {
		t.Fatalf("somebody is signed in already: %q", got)
	}
	session := v.start()
	events := v.listen()
	events.want(waiting)
	// The poller looks once an hour, so that the event alone brings the news.
	must(t, w.Approve(session, "user_noor_haddad"))
	events.want(approved, "")

	p := v.do(http.MethodGet, "/signin")
	if got := p.user(); p.path != "/" || got != "user_noor_haddad" {
		t.Errorf("at %s the user is %q", p.path, got)
	}
	if n := w.verifications(); n != 1 {
		t.Errorf("MID was asked %d times who approved, want once", n)
	}
	if v.cookie(flowCookie) != "" || v.cookie(sessionCookie) == "" {
		t.Errorf("cookies afterwards: %v", v.cookies())
	}
}

func TestSignInByPolling(t *testing.T) {
	w := newWorld(t, byPolling, nil)
	v := w.visitor()
	session := v.start()
	events := v.listen()
	events.want(waiting)
	must(t, w.Scan(session))
	events.want(scanned)
	if got := v.do(http.MethodGet, "/signin").state(); got != scanned {
		t.Errorf("the page says %q", got)
	}
	must(t, w.Approve(session, "user_ada_marsh"))
	events.want(approved, "")
	if got := v.do(http.MethodGet, "/signin").user(); got != "user_ada_marsh" {
		t.Errorf("the user is %q", got)
	}
	if len(w.Events()) != 0 {
		t.Error("an event was sent without a callback URL")
	}
}

// Without scripts the page refreshes itself, which is all that is needed.
func TestSignInWithoutScripts(t *testing.T) {
	w := newWorld(t, byPolling, nil)
	v := w.visitor()
	session := v.start()
	p := v.do(http.MethodGet, "/signin")
	p.find(t, `<noscript><meta (http-equiv="refresh" content="3")></noscript>`)
	must(t, w.Approve(session, "user_ada_marsh"))
	for deadline := time.Now().Add(patience); p.user() == "" && time.Now().Before(deadline); {
		p = v.do(http.MethodGet, "/signin")
	}
	if got := p.user(); got != "user_ada_marsh" {
		t.Errorf("the user is %q", got)
	}
}

func TestEndsWithoutSignIn(t *testing.T) {
	for name, test := range map[string]struct {
		end  func(*world, string) error
		want state
	}{
		"rejected": {func(w *world, id string) error { return w.Reject(id) }, rejected},
		"expired":  {func(w *world, id string) error { return w.Expire(id) }, expired},
		"not verified": {func(w *world, id string) error {
			w.Inject(midtest.Fault{Path: "/auth/verify", Status: http.StatusOK, Body: `{"success":true,"data":` +
				`{"session_id":"` + id + `","verified":false,"status":"approved","user_id":"user_mallory"}}`})
			return w.Approve(id, "user_mallory")
		}, rejected},
		"verified for another session": {func(w *world, id string) error {
			w.Inject(midtest.Fault{Path: "/auth/verify", Status: http.StatusOK, Body: `{"success":true,"data":` +
				`{"session_id":"sess_other","verified":true,"status":"approved","user_id":"user_mallory"}}`})
			return w.Approve(id, "user_mallory")
		}, rejected},
		"verified for nobody": {func(w *world, id string) error {
			w.Inject(midtest.Fault{Path: "/auth/verify", Status: http.StatusOK, Body: `{"success":true,"data":` +
				`{"session_id":"` + id + `","verified":true,"status":"approved"}}`})
			return w.Approve(id, "user_mallory")
		}, rejected},
		"verification failed": {func(w *world, id string) error {
			w.Inject(midtest.Fault{Path: "/auth/verify", Status: http.StatusForbidden})
			return w.Approve(id, "user_mallory")
		}, failed},
		"session lost": {func(w *world, id string) error {
			w.Inject(midtest.Fault{Path: "/auth/sessions/" + id, Status: http.StatusNotFound})
			return nil
		}, failed},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, byPolling, nil)
			v := w.visitor()
			first := v.start()
			events := v.listen()
			events.want(waiting)
			must(t, test.end(w, first))
			events.want(test.want, "")

			p := v.do(http.MethodGet, "/signin")
			if got := p.state(); got != test.want {
				t.Errorf("the page says %q", got)
			}
			if p.match(`(http-equiv="refresh")`) != "" {
				t.Error("the page refreshes itself though nothing can happen")
			}
			if got := v.user(); got != "" {
				t.Errorf("signed in as %q", got)
			}
			// A new code begins afresh and works.
			second := v.start()
			if second == first {
				t.Fatal("the new code is the old one")
			}
			events = v.listen()
			must(t, w.Approve(second, "user_ada_marsh"))
			for s := waiting; s == waiting; {
				s = events.next()
			}
			if got := v.do(http.MethodGet, "/signin").user(); got != "user_ada_marsh" {
				t.Errorf("after the new code, the user is %q", got)
			}
		})
	}
}

// A code that was replaced signs nobody in, even if it is approved after all.
func TestNewCodeReplacesTheOld(t *testing.T) {
	w := newWorld(t, byWebhook, nil)
	v := w.visitor()
	first := v.start()
	old := v.listen()
	old.want(waiting)
	v.start()
	old.want(expired, "")
	must(t, w.Approve(first, "user_ada_marsh"))
	if p := v.do(http.MethodGet, "/signin"); p.state() != waiting {
		t.Errorf("the page says %q", p.state())
	}
	if got := v.user(); got != "" {
		t.Errorf("signed in as %q", got)
	}
}

func TestBrowsersDoNotGetEachOthersSignIn(t *testing.T) {
	w := newWorld(t, byWebhook, nil)
	noor, ada := w.visitor(), w.visitor()
	forNoor, forAda := noor.start(), ada.start()
	toNoor, toAda := noor.listen(), ada.listen()
	toNoor.want(waiting)
	toAda.want(waiting)

	must(t, w.Approve(forAda, "user_ada_marsh"))
	toAda.want(approved)
	if p := noor.do(http.MethodGet, "/signin"); p.state() != waiting || noor.user() != "" {
		t.Errorf("the other browser is %q, signed in as %q", p.state(), noor.user())
	}
	must(t, w.Approve(forNoor, "user_noor_haddad"))
	toNoor.want(approved)
	for v, want := range map[*visitor]string{noor: "user_noor_haddad", ada: "user_ada_marsh"} {
		if got := v.do(http.MethodGet, "/signin").user(); got != want {
			t.Errorf("signed in as %q, want %q", got, want)
		}
	}
}

func TestWhatIsCopiedIsWorthNothing(t *testing.T) {
	w := newWorld(t, byWebhook, nil)
	v, thief := w.visitor(), w.visitor()
	session := v.start()
	copied := v.cookie(flowCookie)
	events := v.listen()
	events.want(waiting)
	must(t, w.Approve(session, "user_ada_marsh"))
	events.want(approved)

	nothing := func(what string) {
		t.Helper()
		if p := thief.do(http.MethodGet, "/signin?session="+session); p.path != "/" || p.user() != "" {
			t.Errorf("%s: at %s as %q", what, p.path, p.user())
		}
		if p := thief.do(http.MethodGet, "/signin/events"); p.status != http.StatusNoContent {
			t.Errorf("%s: the stream answers %d", what, p.status)
		}
	}
	nothing("the session id in the address")
	thief.hold(flowCookie, session)
	nothing("the session id as a flow cookie")
	thief.hold(sessionCookie, copied)
	nothing("the flow cookie as a session cookie")

	if got := v.do(http.MethodGet, "/signin").user(); got != "user_ada_marsh" {
		t.Fatalf("the owner is %q", got)
	}
	thief.hold(flowCookie, copied)
	nothing("the flow cookie after its use")
}

// Who signs in where somebody else is signed in takes their place: the former
// cookie is not left behind, good for hours.
func TestSignInEndsTheFormerOne(t *testing.T) {
	w := newWorld(t, byPolling, nil)
	v, copied := w.signedIn("user_ada_marsh"), w.visitor()
	copied.hold(sessionCookie, v.cookie(sessionCookie))
	session := v.start()
	events := v.listen()
	events.want(waiting)
	must(t, w.Approve(session, "user_noor_haddad"))
	events.want(approved)
	if got := v.do(http.MethodGet, "/signin").user(); got != "user_noor_haddad" {
		t.Errorf("the user is %q", got)
	}
	if got := copied.user(); got != "" {
		t.Errorf("the former cookie is still good for %q", got)
	}
}

// HEAD is what link checkers send: it must not use the approval up.
func TestHeadTakesNothing(t *testing.T) {
	w := newWorld(t, byWebhook, nil)
	v := w.visitor()
	session := v.start()
	events := v.listen()
	events.want(waiting)
	must(t, w.Approve(session, "user_ada_marsh"))
	events.want(approved)
	if p := v.do(http.MethodHead, "/signin"); p.status != http.StatusOK || p.path != "/signin" {
		t.Errorf("HEAD answers %d at %s", p.status, p.path)
	}
	if got := v.do(http.MethodGet, "/signin").user(); got != "user_ada_marsh" {
		t.Errorf("the user is %q", got)
	}
}

func TestOnlyMIDItselfSignsIn(t *testing.T) {
	w := newWorld(t, byWebhook, nil)
	v := w.visitor()
	session := v.start()
	v.listen().want(waiting)
	for name, test := range map[string]struct {
		signature func(payload []byte) string
		want      int
	}{
		"not signed":                 {func([]byte) string { return "" }, http.StatusUnauthorized},
		"badly signed":               {func([]byte) string { return "00" }, http.StatusUnauthorized},
		"signed, but MID denies it":  {w.app.client.Webhooks.Sign, http.StatusNoContent},
		"the same once more, signed": {w.app.client.Webhooks.Sign, http.StatusNoContent},
	} {
		status := deliver(t, w.site.URL, session, test.signature)
		if status != test.want {
			t.Errorf("%s: the webhook answers %d, want %d", name, status, test.want)
		}
	}
	if p := v.do(http.MethodGet, "/signin"); p.state() != waiting {
		t.Errorf("the page says %q", p.state())
	}
	if n := w.verifications(); n != 0 {
		t.Errorf("MID was asked %d times who approved", n)
	}
}

func TestNewFlowChecksWhatItShows(t *testing.T) {
	now := time.Now()
	good := mid.AuthSession{ID: "sess_1", QRCode: "data:image/png;base64,iVBORw0KGgo=", QRData: "mid://auth?session=sess_1", ExpiresAt: now.Add(time.Hour)}
	f, err := newFlow(&good, now)
	must(t, err)
	if left := f.remaining(); left > maxLife {
		t.Errorf("a flow of %v", left)
	}
	for _, change := range []func(*mid.AuthSession){
		func(s *mid.AuthSession) { s.QRCode = "data:text/html,<script>" },
		func(s *mid.AuthSession) { s.QRCode = "" },
		func(s *mid.AuthSession) { s.QRData = "javascript:alert(1)" },
		func(s *mid.AuthSession) { s.QRData = "" },
	} {
		bad := good
		change(&bad)
		if _, err := newFlow(&bad, now); err == nil {
			t.Errorf("taken: %q, %q", bad.QRCode, bad.QRData)
		}
	}
}
