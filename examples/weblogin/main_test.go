package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

var settings = []string{"MID_BASE_URL", "MID_CLIENT_ID", "MID_CLIENT_SECRET", "MID_WEBHOOK_SECRET"}

// TestDemonstration: a demonstration, where anyone signs in as anyone, is
// refused beside any setting of a site in production.
func TestDemonstration(t *testing.T) {
	flags := func(a, o string, p int) func(*testing.T) {
		return func(*testing.T) { *addr, *origin, *proxies = a, o, p }
	}
	const local = "127.0.0.1:8080"
	for name, set := range map[string]func(*testing.T){
		"all interfaces":     flags(":8080", "", 0),
		"another machine":    flags("192.0.2.1:8080", "", 0),
		"a name":             flags("shop.example:8080", "", 0),
		"an origin":          flags(local, "https://shop.example", 0),
		"proxies":            flags(local, "", 1),
		"MID_BASE_URL":       nil,
		"MID_CLIENT_ID":      nil,
		"MID_CLIENT_SECRET":  nil,
		"MID_WEBHOOK_SECRET": nil,
	} {
		t.Run(name, func(t *testing.T) {
			for _, setting := range settings {
				t.Setenv(setting, "")
			}
			flags(local, "", 0)(t)
			if set == nil {
				t.Setenv(name, "of a real account")
			} else {
				set(t)
			}
			assert.Error(t, demonstrate())
		})
	}
	for _, setting := range settings {
		t.Setenv(setting, "")
	}
	for _, good := range []string{local, "[::1]:8080", "127.0.0.1:0"} {
		flags(good, "", 0)(t)
		for _, setting := range settings {
			t.Setenv(setting, "")
		}
		require.NoError(t, demonstrate(), good)
		assert.Equal(t, *mock+"/v1", os.Getenv("MID_BASE_URL"))
	}
}

func TestSessions(t *testing.T) {
	for _, of := range []string{"https://shop.example", "http://127.0.0.1:8080"} {
		*origin = of
		var s site
		answer := httptest.NewRecorder()
		s.signedIn(answer, nil, &mid.AuthenticationResult{UserID: "user_<ada>"})
		session := answer.Result().Cookies()[0]
		assert.True(t, session.HttpOnly)
		assert.Equal(t, of == "https://shop.example", session.Secure)

		visit := func(handler http.HandlerFunc, cookie *http.Cookie) *httptest.ResponseRecorder {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			if cookie != nil {
				r.AddCookie(cookie)
			}
			answer := httptest.NewRecorder()
			handler(answer, r)
			return answer
		}
		assert.Contains(t, visit(s.account, session).Body.String(), "user_&lt;ada&gt;")
		assert.Equal(t, "/signin/", visit(s.account, nil).Header().Get("Location"))
		assert.Equal(t, "/signin/", visit(s.account, &http.Cookie{Name: "session", Value: "forged"}).Header().Get("Location"))
		visit(s.signOut, session)
		assert.Equal(t, "/signin/", visit(s.account, session).Header().Get("Location"), "a copy of the cookie is still good")
	}
}
