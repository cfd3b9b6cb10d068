package browser_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
	"github.com/mobid-io/mid-go/midweb"
)

// site is a site in this process that mounts midweb, with a fake MID that the
// test drives.
type site struct {
	*midtest.Server
	url string // ends in a slash
}

// siteKey seals for the sites of the tests.
const siteKey = "the sites of the tests, of whatever process"

// newSite returns what serves a site, and what stops it.
func newSite(client *mid.Client, cfg midweb.Config) (http.Handler, func(), error) {
	cfg.Keys = [][]byte{[]byte(siteKey)}
	cfg.Name = "Alder & Finch"
	cfg.SignedIn = func(w http.ResponseWriter, _ *http.Request, result *mid.AuthenticationResult) {
		http.SetCookie(w, &http.Cookie{Name: "user", Value: result.UserID, Path: "/", HttpOnly: true})
	}
	signIn, err := midweb.New(client, cfg)
	if err != nil {
		return nil, nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/signin/", signIn)
	mux.Handle("POST /mid/events", client.Webhooks.Handler(mid.EventHandlers{}))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store") // it depends on who is signed in
		user, err := r.Cookie("user")
		if err != nil {
			w.Header().Set("Location", "signin/")
			w.WriteHeader(http.StatusSeeOther)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, `<!doctype html><html lang="en"><title>Account</title><link rel="icon" href="data:,">
			<main data-page="account"><h1>Account</h1><p id="user">`+user.Value+`</p></main></html>`)
	})
	return mux, signIn.Close, nil
}

// startSite starts a site. change may alter the config first.
func startSite(t *testing.T, change func(*midweb.Config), options ...midtest.Option) *site {
	t.Helper()
	s := &site{Server: midtest.NewServer(options...)}
	t.Cleanup(s.Server.Close)
	s.url = mount(t, s.Client(), change)
	return s
}

// mount serves a site with a client, and returns its URL, which ends in a slash.
func mount(t *testing.T, client *mid.Client, change func(*midweb.Config)) (url string) {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	origin := "http://" + server.Listener.Addr().String()
	cfg := midweb.Config{
		Origin:      origin,
		CallbackURL: origin + "/mid/events",
		Poll:        mid.PollOptions{MinInterval: 100 * time.Millisecond, MaxInterval: 300 * time.Millisecond},
		Brake:       midweb.Brake{PerAddress: -1, Share: 1}, // all tests come from one address
	}
	if change != nil {
		change(&cfg)
	}
	handler, stop, err := newSite(client, cfg)
	require.NoError(t, err)
	server.Config.Handler = handler
	server.Start()
	t.Cleanup(func() {
		stop() // a stream would hold the server up
		server.Close()
	})
	return server.URL + "/"
}

// newest is the id of the session that was created last.
func (s *site) newest() string { return s.AuthSessions()[0].ID }

// flood begins sign-ins until it is stopped, so that the site's brake holds this
// address back. It returns once it does.
func (s *site) flood(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	braked, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		transport := &http.Transport{}
		defer transport.CloseIdleConnections()
		var once sync.Once
		for ctx.Err() == nil {
			r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"signin/", nil)
			if err != nil {
				return
			}
			answer, err := transport.RoundTrip(r)
			if err != nil {
				continue // the end of ctx, or of the site
			}
			answer.Body.Close()
			if answer.StatusCode == http.StatusTooManyRequests {
				once.Do(func() { close(braked) })
			}
			time.Sleep(pause)
		}
	}()
	stop = func() {
		cancel()
		<-ended
	}
	t.Cleanup(stop)
	select {
	case <-braked:
	case <-time.After(patience):
		require.FailNow(t, "nothing is braked")
	}
	return stop
}

// What the pages say of themselves.
const (
	atStart   = `document.querySelector("[data-page=start]")`
	atBusy    = `document.querySelector("[data-page=busy]")`
	atProblem = `document.querySelector("[data-page=problem]")`
	atAccount = `document.querySelector("[data-page=account]")`
)

// atState is true on a sign-in page that is in the given state, and shows it.
func atState(state string) string {
	return `document.getElementById("signin")?.dataset.state === "` + state + `" &&
		document.querySelector("[data-for=` + state + `]").checkVisibility()`
}

// startSignIn opens the site and asks for a code.
func (tb *tab) startSignIn(url string) {
	tb.t.Helper()
	tb.open(url)
	tb.until(atStart)
	tb.press("#start")
	tb.until(atState("waiting"))
}

// user is who is signed in.
func (tb *tab) user() string {
	tb.t.Helper()
	tb.until(atAccount)
	return ask[string](tb, `document.getElementById("user").textContent`)
}

// sessionIn is the id in the text of a QR code.
func sessionIn(t *testing.T, code string) string {
	t.Helper()
	id, ok := strings.CutPrefix(code, "mid://auth?session=")
	require.True(t, ok, code)
	return id
}
