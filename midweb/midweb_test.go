package midweb

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

func TestSignIn(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		v := w.visitor()
		p := v.get("")
		require.Equal(t, atStart, p.state())
		require.Empty(t, w.Requests(), "looking at the page costs nothing")

		session := v.start()
		tab := v.page()
		tab.want(waiting)
		require.NoError(t, w.Scan(session))
		tab.want(scanned, "") // and the answer ends
		assert.Equal(t, scanned, v.get("").state())
		tab = v.page()
		tab.want(scanned)
		require.NoError(t, w.Approve(session, "user_noor_haddad"))
		tab.want(approved, "")

		p = v.get("finish")
		assert.Equal(t, "/", p.location)
		assert.Equal(t, []string{"user_noor_haddad"}, w.in)
		assert.Empty(t, v.cookies)
		assert.Equal(t, 1, w.count(http.MethodPost, "/auth/verify"))
		assert.Equal(t, atStart, v.get("").state())
		assert.Equal(t, "/", v.get("finish").location, "a second tab goes on, too")
	})
}

// The page refreshes itself, and asks MID no more often than with scripts.
func TestSignInWithoutScripts(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		v := w.visitor()
		session := v.start()
		p := v.get("")
		p.find(t, `<noscript>(<meta http-equiv="refresh" content="3;url=finish">)</noscript>`)
		for range 20 {
			time.Sleep(3 * time.Second)
			p = v.get("finish")
			require.Equal(t, waiting, p.state())
		}
		assert.LessOrEqual(t, w.count(http.MethodGet, "/auth/sessions/"), 40)
		require.NoError(t, w.Approve(session, "user_ada_marsh"))
		time.Sleep(3 * time.Second)
		assert.Equal(t, http.StatusSeeOther, v.get("finish").status)
		assert.Equal(t, []string{"user_ada_marsh"}, w.in)
	})
}

func TestEndsWithoutSignIn(t *testing.T) {
	verified := func(body string) func(*world, string) {
		return func(w *world, id string) {
			w.Inject(midtest.Fault{Path: "/auth/verify", Status: http.StatusOK, Body: `{"success":true,"data":` + body + `}`})
			require.NoError(w.t, w.Approve(id, "user_mallory"))
		}
	}
	for name, test := range map[string]struct {
		end  func(*world, string)
		want state
	}{
		"rejected":                     {func(w *world, id string) { require.NoError(w.t, w.Reject(id)) }, rejected},
		"expired":                      {func(w *world, id string) { require.NoError(w.t, w.Expire(id)) }, expired},
		"left alone":                   {func(*world, string) { time.Sleep(5 * time.Minute) }, expired},
		"not verified":                 {verified(`{"session_id":"ID","verified":false,"status":"approved","user_id":"user_mallory"}`), failed},
		"verified for another session": {verified(`{"session_id":"sess_other","verified":true,"status":"approved","user_id":"user_mallory"}`), failed},
		"verified for no one":          {verified(`{"session_id":"ID","verified":true,"status":"approved"}`), failed},
		"verification failed": {func(w *world, id string) {
			w.Inject(midtest.Fault{Path: "/auth/verify", Status: http.StatusForbidden})
			require.NoError(w.t, w.Approve(id, "user_mallory"))
		}, failed},
		"session lost": {func(w *world, id string) {
			w.Inject(midtest.Fault{Path: "/auth/sessions/" + id, Status: http.StatusNotFound, Times: -1})
		}, failed},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, nil, func(t *testing.T, w *world) {
				v := w.visitor()
				first := v.start()
				test.end(w, first)
				time.Sleep(5 * time.Second)
				p := v.get("finish")
				assert.Equal(t, test.want, p.state())
				assert.Empty(t, p.match(`(http-equiv="refresh")`), "the page refreshes itself though nothing can happen")
				assert.Empty(t, w.in)

				second := v.start()
				require.NotEqual(t, first, second)
				require.NoError(t, w.Approve(second, "user_ada_marsh"))
				time.Sleep(3 * time.Second)
				v.get("finish")
				assert.Equal(t, []string{"user_ada_marsh"}, w.in)
			})
		})
	}
}

// A session of MID's that was created for something else signs no one in, even
// if it got into a flow.
func TestSessionOfAnotherKind(t *testing.T) {
	for name, params := range map[string]mid.CreateAuthSessionParams{
		"another intent": {Intent: mid.IntentPayment, Metadata: map[string]string{metadataNonce: "nonce"}},
		"another nonce":  {Intent: mid.IntentLogin, Metadata: map[string]string{metadataNonce: "other"}},
		"no nonce":       {Intent: mid.IntentLogin},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, nil, func(t *testing.T, w *world) {
				session, err := w.client.Authentication.CreateSession(t.Context(), params)
				require.NoError(t, err)
				require.NoError(t, w.Approve(session.ID, "user_mallory"))
				v := w.visitor()
				value, err := w.flows.sealer.seal(newFlow(session, time.Time{}, "nonce", "", 0))
				require.NoError(t, err)
				v.cookies[w.flows.name] = value
				assert.Equal(t, failed, v.get("finish").state())
				assert.Empty(t, w.in)
			})
		})
	}
}

// A code that was replaced signs no one in, even if it is approved after all,
// and the tab that shows it finds out.
func TestNewCodeReplacesTheOld(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		v := w.visitor()
		first := v.start()
		of := v.get("").find(t, `data-of="([^"]+)"`)
		v.start()
		tab := v.listen(of, waiting)
		tab.want(moved, "")
		require.NoError(t, w.Approve(first, "user_ada_marsh"))
		time.Sleep(5 * time.Second)
		assert.Equal(t, waiting, v.get("finish").state())
		assert.Empty(t, w.in)
	})
}

func TestBrowsersDoNotGetEachOthersSignIn(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		noor, ada := w.visitor(), w.visitor()
		forNoor, forAda := noor.start(), ada.start()
		require.NoError(t, w.Approve(forAda, "user_ada_marsh"))
		time.Sleep(3 * time.Second)
		assert.Equal(t, waiting, noor.get("finish").state())
		assert.Equal(t, "/", ada.get("finish").location)
		require.NoError(t, w.Approve(forNoor, "user_noor_haddad"))
		time.Sleep(3 * time.Second)
		assert.Equal(t, "/", noor.get("finish").location)
		assert.Equal(t, []string{"user_ada_marsh", "user_noor_haddad"}, w.in)
	})
}

// What a thief gets hold of is the session's id, in a photo of the code, or the
// cookie, from a disk.
func TestWhatIsCopiedIsWorthNothing(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		v := w.visitor()
		session := v.start()
		photo := w.visitor()
		photo.cookies[w.flows.name] = session
		require.NoError(t, w.Approve(session, "user_ada_marsh"))
		time.Sleep(3 * time.Second)
		assert.Equal(t, atStart, photo.get("?session="+session).state())
		assert.Equal(t, "/", photo.get("finish").location)
		assert.Empty(t, w.in)

		thief := v.copy()
		v.get("finish")
		require.Equal(t, []string{"user_ada_marsh"}, w.in)
		assert.Equal(t, "/", thief.get("finish").location)
		assert.Equal(t, []string{"user_ada_marsh"}, w.in, "the approval was taken up twice")
		assert.Empty(t, thief.cookies)
	})
}

// What only looks ahead must not use the approval up.
func TestLookingAheadTakesNothing(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		v := w.visitor()
		session := v.start()
		require.NoError(t, w.Approve(session, "user_ada_marsh"))
		time.Sleep(3 * time.Second)
		assert.Equal(t, http.StatusOK, v.do(http.MethodHead, "finish", nil).status)
		v.header.Set("Sec-Purpose", "prefetch;prerender")
		assert.Equal(t, http.StatusServiceUnavailable, v.get("finish").status)
		assert.Empty(t, w.in)
		v.header.Del("Sec-Purpose")
		v.get("finish")
		assert.Equal(t, []string{"user_ada_marsh"}, w.in)
	})
}

// Any process serves any request, and the one that was asked first may be gone.
func TestAnotherProcessGoesOn(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		v := w.visitor()
		session := v.start()
		tab := v.page()
		tab.want(waiting)
		w.SignIn.Close() // in the middle of it
		tab.want("")

		other := w.process(nil)
		defer other.Close()
		v.site = other
		assert.Equal(t, "mid://auth?session="+session, v.get("").find(t, `href="(mid:[^"]+)"`))
		tab = v.page()
		tab.want(waiting)
		require.NoError(t, w.Approve(session, "user_noor_haddad"))
		tab.want(approved, "")
		assert.Equal(t, "/", v.get("finish").location)
		assert.Equal(t, []string{"user_noor_haddad"}, w.in)
	})
}

func TestKeysRotate(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		fresh := []byte("another key of thirty-two bytes or so")
		v := w.visitor()
		v.start()
		both := w.process(func(c *Config) { c.Keys = [][]byte{fresh, testKey} })
		defer both.Close()
		v.site = both
		assert.Equal(t, waiting, v.get("").state(), "the old key opens")
		v.start()
		later := w.process(func(c *Config) { c.Keys = [][]byte{fresh} })
		defer later.Close()
		v.site = later
		assert.Equal(t, waiting, v.get("").state(), "the new key seals")
		v.site = w.SignIn
		assert.Equal(t, atStart, v.get("").state(), "a key that the process does not have")
	})
}

func TestMounting(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		stripped, nested := http.NewServeMux(), http.NewServeMux()
		stripped.Handle("/signin/", http.StripPrefix("/signin/", w.SignIn))
		stripped.Handle("/signin", http.StripPrefix("/signin", w.SignIn))
		nested.Handle("/signin/", http.StripPrefix("/signin", w.SignIn))
		for name, site := range map[string]http.Handler{"as it is": w.SignIn, "all stripped": stripped, "stripped": nested} {
			v := visit(t, site)
			assert.Equal(t, "./", v.do(http.MethodPost, "", nil).location, name)
			assert.Equal(t, waiting, v.get("").state(), name)
			assert.Equal(t, http.StatusOK, v.get("midweb.css").status, name)
			assert.Equal(t, http.StatusOK, v.get("midweb.js").status, name)
			assert.Equal(t, http.StatusNotFound, v.get("missing").status, name)
			assert.Equal(t, http.StatusNotFound, v.get("static/midweb.html").status, name)
			assert.Equal(t, http.StatusNotFound, v.do(http.MethodPut, "", nil).status, name)
		}
	})
}

func TestMountingWithoutSlash(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "https://shop.example/a/signin?next=/orders", nil)
		answer := httptest.NewRecorder()
		http.StripPrefix("/a/signin", w.SignIn).ServeHTTP(answer, r)
		assert.Equal(t, http.StatusSeeOther, answer.Code)
		assert.Equal(t, "signin/", answer.Header().Get("Location"))
	})
}

func TestNext(t *testing.T) {
	inWorld(t, func(c *Config) { c.Next = "/home" }, func(t *testing.T, w *world) {
		for next, want := range map[string]string{
			"":                         "/home",
			"/orders?id=7&x=%2F":       "/orders?id=7&x=%2F",
			"//evil.example":           "/home",
			`/\evil.example`:           "/home",
			"/\t/evil.example":         "/home",
			"https://evil.example/":    "/home",
			"javascript:alert(1)":      "/home",
			"/a\r\nSet-Cookie: evil=1": "/home",
		} {
			v := w.visitor()
			v.get("?" + url.Values{"next": {next}}.Encode())
			v.do(http.MethodPost, "", url.Values{"next": {next}})
			p := v.get("")
			require.NoError(t, w.Approve(p.find(t, `href="mid://auth\?session=([^"]+)"`), ""))
			time.Sleep(10 * time.Second)
			assert.Equal(t, want, v.get("finish").location, "%q", next)
		}
		p := w.visitor().get("?next=/orders")
		assert.Equal(t, "/orders", p.find(t, `name="next" value="([^"]+)"`))
	})
}

func TestSiteAnswersByItself(t *testing.T) {
	inWorld(t, func(c *Config) {
		c.SignedIn = func(w http.ResponseWriter, _ *http.Request, _ *mid.AuthenticationResult) {
			http.Error(w, "no such user", http.StatusForbidden)
		}
	}, func(t *testing.T, w *world) {
		v := w.visitor()
		require.NoError(t, w.Approve(v.start(), ""))
		time.Sleep(3 * time.Second)
		p := v.get("finish")
		assert.Equal(t, http.StatusForbidden, p.status)
		assert.Equal(t, "no such user\n", p.body)
		assert.Empty(t, p.location)
		assert.Empty(t, v.cookies)
	})
}

func TestOtherSitesCanNotPost(t *testing.T) {
	inWorld(t, func(c *Config) { c.Origin = "https://shop.example" }, func(t *testing.T, w *world) {
		for name, header := range map[string]http.Header{
			"another site":       {"Sec-Fetch-Site": {"cross-site"}},
			"another subdomain":  {"Sec-Fetch-Site": {"same-site"}},
			"an old browser":     {"Sec-Fetch-Site": {""}, "Origin": {"https://evil.example"}},
			"without any origin": {"Sec-Fetch-Site": {""}, "Origin": {"null"}},
		} {
			v := w.visitor()
			v.header = header
			r := v.request(http.MethodPost, "", nil)
			if header.Get("Sec-Fetch-Site") == "" {
				r.Header.Del("Sec-Fetch-Site")
			}
			answer := httptest.NewRecorder()
			w.ServeHTTP(answer, r)
			assert.Equal(t, http.StatusForbidden, answer.Code, name)
		}
		assert.Empty(t, w.AuthSessions())
		// A proxy that rewrites the Host leaves the origin as it is.
		v := w.visitor()
		r := v.request(http.MethodPost, "", nil)
		r.Header.Del("Sec-Fetch-Site")
		r.Header.Set("Origin", "https://shop.example")
		r.Host = "127.0.0.1:8080"
		answer := httptest.NewRecorder()
		w.ServeHTTP(answer, r)
		assert.Equal(t, http.StatusSeeOther, answer.Code)
	})
}

func TestHeaders(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		v := w.visitor()
		v.start()
		for _, path := range []string{"", "midweb.css", "midweb.js", "missing"} {
			p := v.get(path)
			for _, want := range []string{"default-src 'none'", "script-src 'self';", "style-src 'self';", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
				assert.Contains(t, p.header.Get("Content-Security-Policy"), want, path)
			}
			assert.Equal(t, "nosniff", p.header.Get("X-Content-Type-Options"))
			assert.NotContains(t, p.body, "style=")
			assert.NotContains(t, p.body, "<style")
			assert.NotContains(t, p.body, "onclick")
		}
		assert.Equal(t, "no-store", v.get("").header.Get("Cache-Control"))
		css := v.get("midweb.css")
		assert.Equal(t, "no-cache", css.header.Get("Cache-Control"))
		v.header.Set("If-None-Match", css.header.Get("ETag"))
		assert.Equal(t, http.StatusNotModified, v.get("midweb.css").status)
	})
}

func TestMIDIsDown(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		w.Inject(midtest.Fault{Path: "/auth/sessions", Status: http.StatusForbidden})
		v := w.visitor()
		p := v.do(http.MethodPost, "", url.Values{"next": {"/orders"}})
		assert.Equal(t, http.StatusServiceUnavailable, p.status)
		assert.Equal(t, problem, p.state())
		assert.Equal(t, "/orders", p.find(t, `name="next" value="([^"]+)"`))
		v.start()
	})
}

func TestRenew(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		v := w.visitor()
		first := v.start()
		assert.Equal(t, http.StatusConflict, v.do(http.MethodPost, "renew", nil).status, "too early")
		for i := range renewals {
			time.Sleep(5*time.Minute - renewAhead/2)
			p := v.do(http.MethodPost, "renew", nil)
			require.Equal(t, http.StatusOK, p.status, i)
			second := p.find(t, `"link":"mid://auth\?session=([^"]+)"`)
			require.NotEqual(t, first, second)
			assert.Equal(t, second, v.get("").find(t, `href="mid://auth\?session=([^"]+)"`))
			first = second
		}
		time.Sleep(5*time.Minute - renewAhead/2)
		assert.Equal(t, http.StatusConflict, v.do(http.MethodPost, "renew", nil).status, "a page that no one tends")
	})
}

// Between the scan and the approval, the code must not change.
func TestRenewNotOnceScanned(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		v := w.visitor()
		session := v.start()
		time.Sleep(5*time.Minute - renewAhead/2)
		require.NoError(t, w.Scan(session))
		assert.Equal(t, http.StatusConflict, v.do(http.MethodPost, "renew", nil).status)
		require.NoError(t, w.Approve(session, "user_ada_marsh"))
		time.Sleep(3 * time.Second)
		v.get("finish")
		assert.Equal(t, []string{"user_ada_marsh"}, w.in)
	})
}

func TestPerson(t *testing.T) {
	inWorld(t, func(c *Config) {
		c.Person = func(*http.Request) (Person, error) {
			return Person{Recipient: "+14155550123", Metadata: map[string]string{MetadataNumber: "42", "city": "Lisbon"}}, nil
		}
	}, func(t *testing.T, w *world) {
		v := w.visitor()
		v.start()
		session := w.AuthSessions()[0]
		assert.Equal(t, "+14155550123", session.Recipient)
		assert.Equal(t, "Lisbon", session.Metadata["city"])
		p := v.get("")
		assert.Equal(t, "42", p.find(t, `id="number">.*<b>(\d+)</b>`))
		assert.Empty(t, p.match(`(data-renew)`), "a phone that rings again by itself is no help")
		assert.NotContains(t, p.body, "14155550123")
		for _, value := range v.cookies {
			assert.NotContains(t, value, session.ID)
		}
	})
}

// A return to the page long after the approval is still good, for a phone may
// keep a browser away for minutes.
func TestLateReturn(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		v := w.visitor()
		session := v.start()
		time.Sleep(4*time.Minute + 50*time.Second)
		require.NoError(t, w.Approve(session, "user_ada_marsh"))
		time.Sleep(4 * time.Minute)
		assert.Equal(t, "/", v.get("").location)
		assert.Equal(t, []string{"user_ada_marsh"}, w.in)

		v = w.visitor()
		session = v.start()
		require.NoError(t, w.Approve(session, "user_ada_marsh"))
		time.Sleep(11 * time.Minute)
		assert.Equal(t, atStart, v.get("").state())
	})
}
