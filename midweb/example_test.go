package midweb_test

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
	"github.com/mobid-io/mid-go/midweb"
)

// A site with one account page, and a browser and a phone that sign in to it.
func Example() {
	server := midtest.NewServer() // in place of MID
	defer server.Close()
	client := server.Client()

	mux := http.NewServeMux()
	site := httptest.NewServer(mux)
	defer site.Close()
	signIn, err := midweb.New(client, midweb.Config{
		Keys: [][]byte{[]byte(rand.Text() + rand.Text())}, // a site has its own, and keeps it
		SignedIn: func(w http.ResponseWriter, _ *http.Request, result *mid.AuthenticationResult) {
			// A site makes a session here.
			http.SetCookie(w, &http.Cookie{Name: "user", Value: result.UserID, Path: "/", HttpOnly: true})
		},
		Origin: site.URL,
		Poll:   mid.PollOptions{MaxInterval: 10 * time.Millisecond},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer signIn.Close()
	mux.Handle("/signin/", signIn)
	mux.HandleFunc("GET /account", func(w http.ResponseWriter, r *http.Request) {
		if user, err := r.Cookie("user"); err == nil {
			fmt.Fprint(w, "Hello, "+user.Value)
		}
	})

	jar, err := cookiejar.New(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	browser := &http.Client{Jar: jar}
	page, err := browser.Post(site.URL+"/signin/", "application/x-www-form-urlencoded", strings.NewReader("next=/account"))
	if err != nil {
		fmt.Println(err)
		return
	}
	page.Body.Close()
	if err := server.Approve(server.AuthSessions()[0].ID, "user_ada"); err != nil {
		fmt.Println(err)
		return
	}
	for page.Request.URL.Path != "/account" { // as the page does by itself
		if page, err = browser.Get(site.URL + "/signin/finish"); err != nil {
			fmt.Println(err)
			return
		}
		page.Body.Close()
	}
	fmt.Println(page.Request.URL.Path)
	// Output:
	// /account
}
