package midredis_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midredis"
	"github.com/mobid-io/mid-go/midtest"
	"github.com/mobid-io/mid-go/midweb"
)

// serveSite is the main function of a process of a web site, which says its address.
// It asks MID about a session once a minute, so that only a notification is quick.
func serveSite(r role, stdin *bufio.Reader) error {
	rdb := r.client()
	store, err := midredis.NewEventStore(rdb, r.Account, generous)
	if err != nil {
		return err
	}
	notifier, err := midredis.NewNotifier(rdb, r.Account, generous)
	if err != nil {
		return err
	}
	client, err := mid.NewClient(r.ClientID, r.Secret, mid.WithBaseURL(r.URL),
		mid.WithWebhooks(mid.WebhookConfig{Secrets: []string{r.WebhookSecret}, Store: store, Notifier: notifier}))
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	site := "http://" + listener.Addr().String()
	if r.Callback == "" {
		r.Callback = site + "/events"
	}
	signIn, err := midweb.New(client, midweb.Config{
		Keys: [][]byte{[]byte("a key that both processes of the site have")},
		SignedIn: func(w http.ResponseWriter, _ *http.Request, _ *mid.AuthenticationResult) {
			w.Header().Set("Signed-In", "yes")
		},
		Origin:      site,
		CallbackURL: r.Callback,
		Store:       store,
		Poll:        mid.PollOptions{MinInterval: time.Minute, MaxInterval: time.Minute},
	})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/signin/", signIn)
	mux.Handle("POST /events", client.Webhooks.Handler(mid.EventHandlers{}))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }() // it ends with the process
	if err := say(site); err != nil {
		return err
	}
	_, err = stdin.ReadString('\n')
	return err
}

// A person signs in at one process of a site while the event arrives at another. The
// approval signs in once, wherever the browser finishes.
func TestSignInAcrossProcesses(t *testing.T) {
	redis := sharedRedis(t)
	srv := midtest.NewServer()
	defer srv.Close()
	site := role{
		Name: "site", Redis: redis.addr, Account: newAccount(), URL: srv.URL,
		ClientID: srv.ClientID, Secret: srv.ClientSecret, WebhookSecret: srv.WebhookSecret,
	}
	var here, there string
	site.start(t).read(t, &there)
	site.Callback = there + "/events"
	site.start(t).read(t, &here)

	jar, err := cookiejar.New(nil) // its cookies go to either port
	require.NoError(t, err)
	browser := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	begun, err := browser.Post(here+"/signin/", "application/x-www-form-urlencoded", http.NoBody)
	require.NoError(t, err)
	begun.Body.Close()
	page, err := browser.Get(here + "/signin/")
	require.NoError(t, err)
	defer page.Body.Close()
	html, err := io.ReadAll(page.Body)
	require.NoError(t, err)
	flow := regexp.MustCompile(`data-of="([^"]+)"`).FindSubmatch(html)
	require.NotNil(t, flow, "%s", html)
	events, err := browser.Get(here + "/signin/events?seen=waiting&of=" + url.QueryEscape(string(flow[1])))
	require.NoError(t, err)
	defer events.Body.Close()
	listening(t, redis.client(t), site.Account, 1)

	session := srv.AuthSessions()[0].ID
	approved := time.Now()
	require.NoError(t, srv.Approve(session, "user_ada"))
	text, err := io.ReadAll(events.Body)
	require.NoError(t, err)
	assert.Contains(t, string(text), `"approved"`)
	assert.Less(t, time.Since(approved), 20*time.Second, "long before the next look")

	in := make([]string, 2)
	var all sync.WaitGroup
	for i, process := range []string{here, there} {
		all.Go(func() {
			finished, err := browser.Get(process + "/signin/finish")
			if assert.NoError(t, err) {
				in[i] = finished.Header.Get("Signed-In")
				finished.Body.Close()
			}
		})
	}
	all.Wait()
	assert.Equal(t, "yes", strings.Join(in, ""), "one of the two signed in")
}
