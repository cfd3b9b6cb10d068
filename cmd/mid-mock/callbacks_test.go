package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

func TestOtherHosts(t *testing.T) {
	for url, want := range map[string]string{
		"http://localhost:8080/hook":    "",
		"http://app.localhost/hook":     "",
		"http://127.8.9.1/hook":         "",
		"https://[::1]:8443/hook":       "",
		"http://0.0.0.0:1/hook":         "0.0.0.0:1",
		"https://shop.example.com/hook": "shop.example.com",
		"http://192.0.2.7:8080/hook":    "192.0.2.7:8080",
		"http://localhost.example.com":  "localhost.example.com",
	} {
		assert.Equal(t, want, otherHost(url), url)
	}
}

func TestWarnsOfEachHostOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := midtest.NewServer(midtest.WithInMemory())
		defer srv.Close()
		srv.HandleCallbacks(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
		var stderr output
		ctx, stop := context.WithCancel(t.Context())
		var watching sync.WaitGroup
		watching.Go(func() { (&callbacks{srv: srv, stderr: &stderr, warned: map[string]bool{}}).watch(ctx) })
		client := srv.Client()
		for _, host := range []string{"localhost:1", "shop.example.com", "127.0.0.1:1", "shop.example.com", "192.0.2.7"} {
			session, err := client.Authentication.CreateSession(t.Context(), mid.CreateAuthSessionParams{
				Intent: mid.IntentLogin, CallbackURL: "http://" + host + "/hook",
			})
			require.NoError(t, err)
			require.NoError(t, srv.Reject(session.ID))
			time.Sleep(2 * callbacksEvery)
		}
		const warning = "mid-mock: warning: an event went to another host, %q: a client of the API named it in a callback_url.\n"
		assert.Equal(t, fmt.Sprintf(warning+warning, "shop.example.com", "192.0.2.7"), stderr.String())
		stop()
		watching.Wait()
	})
}

func TestWarnsWhereOthersChooseCallbacks(t *testing.T) {
	const elsewhere = "http://0.0.0.0:1/hook" // no loopback address, and still on this machine
	p := start(t, "-addr", "0.0.0.0:0")
	assert.Contains(t, p.stderr.String(), "Events go to any callback_url")
	assert.Contains(t, p.see("/"), "Other machines can reach this mid-mock.")
	session := p.session(p.client(), mid.CreateAuthSessionParams{CallbackURL: elsewhere})
	p.press("/phone/"+session.ID, "/reject")
	shown := func() bool { return strings.Contains(p.see("/"), "Sent to another host: 0.0.0.0:1") }
	require.Eventually(t, shown, 10*time.Second, 10*time.Millisecond)
	warned := func() bool {
		return strings.Contains(p.stderr.String(), `warning: an event went to another host, "0.0.0.0:1"`)
	}
	require.Eventually(t, warned, 10*time.Second, 10*time.Millisecond)
}

func TestWarnsOfNothingOnLoopback(t *testing.T) {
	p := start(t)
	session := p.session(p.client(), mid.CreateAuthSessionParams{CallbackURL: "http://0.0.0.0:1/hook"})
	p.press("/phone/"+session.ID, "/reject")
	shown := func() bool { return strings.Contains(p.see("/"), "http://0.0.0.0:1/hook") }
	require.Eventually(t, shown, 10*time.Second, 10*time.Millisecond)
	assert.NotContains(t, p.see("/"), "Other machines")
	assert.NotContains(t, p.see("/"), "another host")
	assert.Empty(t, p.stderr.String())
}

func TestAPublicAddressIsReachable(t *testing.T) {
	p := start(t, "-public-url", "http://mock.example")
	assert.Contains(t, p.stderr.String(), "Events go to any callback_url")
	assert.True(t, guard{public: "mock.example"}.reachable())
	assert.True(t, guard{exposed: true}.reachable())
	assert.False(t, guard{}.reachable())
	assert.False(t, guard{public: "app.localhost"}.reachable())
}
