package midtest_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

func TestEveryAnswerHasTheCommonHeaders(t *testing.T) {
	c := start(t)
	for name, r := range map[string]reply{
		"success":      c.post("/auth/sessions", mid.CreateAuthSessionParams{Intent: mid.IntentLogin}),
		"token":        c.post("/auth/token", tokenRequest(c.srv)),
		"bad token":    c.post("/auth/token", map[string]string{}),
		"bad request":  c.post("/auth/sessions", "{"),
		"unknown path": c.get("/nothing"),
		"wrong method": c.get("/auth/sessions"),
		"unknown id":   c.get("/auth/sessions/sess_unknown"),
	} {
		t.Run(name, func(t *testing.T) {
			for _, h := range []string{"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"} {
				_, err := strconv.Atoi(r.header.Get(h))
				assert.NoError(t, err, h)
			}
			assert.Equal(t, r.Meta.RequestID, r.header.Get("X-Request-Id"))
			assert.Regexp(t, "^req_", r.Meta.RequestID)
			assert.WithinDuration(t, time.Now(), r.Meta.Timestamp, time.Minute)
			assert.Equal(t, r.status < 300, r.Success)
		})
	}
}

func TestMisroutedRequests(t *testing.T) {
	c := start(t)
	for _, tc := range []struct {
		method, path, allow string
		status              int
	}{
		{"GET", "/nothing", "", 404},
		{"GET", "", "", 404},
		{"GET", "/auth/sessions/", "", 404},
		{"GET", "/auth/sessions/a/b", "", 404},
		{"GET", "/auth/sessions", "POST", 405},
		{"DELETE", "/auth/sessions/sess_1", "GET", 405},
		{"PUT", "/auth/token", "POST", 405},
	} {
		r := c.send(c.request(tc.method, tc.path, nil))
		assert.Equal(t, tc.status, r.status, "%s %s", tc.method, tc.path)
		assert.Equal(t, tc.allow, r.header.Get("Allow"), "%s %s", tc.method, tc.path)
	}
}

func TestPathsOutsideTheBase(t *testing.T) {
	get := func(srv *midtest.Server) int {
		t.Helper()
		res, err := srv.HTTPClient().Post(strings.TrimSuffix(srv.URL, "/v1")+"/auth/token", "application/json", nil)
		require.NoError(t, err)
		defer res.Body.Close()
		return res.StatusCode
	}
	bare := midtest.NewServer()
	defer bare.Close()
	assert.Equal(t, 404, get(bare))
	assert.Zero(t, bare.TokenRequests())
	assert.Equal(t, "/auth/token", bare.Requests()[0].Path)

	for _, status := range []int{http.StatusTeapot, http.StatusGone} { // the later replaces the earlier
		bare.HandlePages(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		assert.Equal(t, status, get(bare))
	}
	assert.Len(t, bare.Requests(), 1, "pages are not logged")
}

func TestMiddlewareWrapsEverything(t *testing.T) {
	var order []string
	wrap := func(name string) midtest.Option {
		return midtest.WithMiddleware(func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				order = append(order, name)
				if name == "inner" && r.URL.Path == "/v1/refused" {
					w.WriteHeader(http.StatusTeapot)
					return
				}
				next.ServeHTTP(w, r)
			})
		})
	}
	srv := midtest.NewServer(wrap("outer"), wrap("inner"))
	srv.HandlePages(http.NotFoundHandler())
	defer srv.Close()
	for path, status := range map[string]int{"/v1/refused": 418, "/v1/nothing": 404, "/page": 404} {
		order = nil
		res, err := srv.HTTPClient().Get(strings.TrimSuffix(srv.URL, "/v1") + path)
		require.NoError(t, err)
		res.Body.Close()
		assert.Equal(t, status, res.StatusCode, path)
		assert.Equal(t, []string{"outer", "inner"}, order, path)
	}
	require.Len(t, srv.Requests(), 1)
	assert.Equal(t, "/nothing", srv.Requests()[0].Path)
}

func TestTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := start(t, midtest.WithInMemory(), midtest.WithTokenLifetime(1500*time.Millisecond))
		r := c.post("/auth/token", tokenRequest(c.srv))
		token := data[struct {
			AccessToken string `json:"access_token"`
			TokenType   string `json:"token_type"`
			ExpiresIn   int    `json:"expires_in"`
		}](t, r)
		assert.Equal(t, "Bearer", token.TokenType)
		assert.Equal(t, 2, token.ExpiresIn, "rounded up")

		status := func() int { return c.get("/auth/sessions/sess_unknown").status }
		time.Sleep(2*time.Second - 1)
		assert.Equal(t, 404, status(), "alive")
		time.Sleep(1)
		r = c.get("/auth/sessions/sess_unknown")
		assert.Equal(t, 401, r.status, "expired")
		assert.Equal(t, mid.CodeUnauthorized, r.Error.Code)
		assert.Equal(t, "Bearer", r.header.Get("WWW-Authenticate"))

		c.authorize()
		assert.Equal(t, 404, status())
		c.srv.RevokeTokens()
		assert.Equal(t, 401, status(), "revoked")
		c.authorize()
		assert.Equal(t, 404, status())
		c.token = ""
		assert.Equal(t, 401, status(), "missing")
		assert.Equal(t, 4, c.srv.TokenRequests())
	})
}

func TestAllTokensAreRevoked(t *testing.T) {
	c := start(t)
	first := c.token
	c.authorize()
	c.srv.RevokeTokens()
	for _, token := range []string{first, c.token} {
		c.token = token
		assert.Equal(t, 401, c.get("/auth/sessions/sess_unknown").status)
	}
}

func TestTokensAreBearerTokens(t *testing.T) {
	c := start(t)
	for authorization, status := range map[string]int{
		"Bearer " + c.token: 404,
		"bearer " + c.token: 404, // schemes are case-insensitive, RFC 9110 section 11.1
		"Basic " + c.token:  401,
		" " + c.token:       401,
		c.token:             401,
		"Bearer":            401,
	} {
		req := c.request(http.MethodGet, "/auth/sessions/sess_unknown", nil)
		req.Header.Set("Authorization", authorization)
		assert.Equal(t, status, c.send(req).status, strings.ReplaceAll(authorization, c.token, "…"))
	}
}

func TestTokenRequestsThatFail(t *testing.T) {
	c := start(t)
	wrong := tokenRequest(c.srv)
	wrong["client_secret"] = "not-the-secret"
	r := c.post("/auth/token", wrong)
	assert.Equal(t, 401, r.status)
	assert.Equal(t, mid.CodeInvalidClient, r.Error.Code)
	assert.NotContains(t, string(r.body), "not-the-secret")

	r = c.post("/auth/token", map[string]string{"grant_type": "password"})
	assert.Equal(t, 400, r.status)
	assert.Equal(t, mid.CodeInvalidRequest, r.Error.Code)
	assert.Equal(t, []string{"client_id", "client_secret", "grant_type"}, fields(r))

	r = c.post("/auth/token", "client_id=a", "Content-Type", "application/x-www-form-urlencoded")
	assert.Equal(t, 415, r.status)
	assert.Equal(t, mid.CodeUnsupportedMediaType, r.Error.Code)
}

// The client takes its secret out of what the server says. A test's secret is
// often one of these words, and the message should survive it.
func TestWrongCredentialsAreToldWithoutDummyWords(t *testing.T) {
	c := start(t)
	for _, dummy := range []string{
		"wrong", "bad", "invalid", "incorrect", "secret", "client", "client secret", "client_secret", "test",
		"dummy", "fake", "password", "key", "token", "unknown", "other", "nope",
	} {
		client, err := mid.NewClient("c", dummy, mid.WithBaseURL(c.srv.URL), mid.WithHTTPClient(c.srv.HTTPClient()))
		require.NoError(t, err)
		_, err = client.Authentication.GetSession(t.Context(), "sess_1")
		assert.ErrorContains(t, err, "the credentials are of no account", dummy)
	}
}

func TestQuota(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := start(t, midtest.WithInMemory(), midtest.WithQuota(3, 90*time.Second))
		begin := time.Now()
		r := c.get("/nothing") // the token request was the first
		assert.Equal(t, "3", r.header.Get("X-RateLimit-Limit"))
		assert.Equal(t, "1", r.header.Get("X-RateLimit-Remaining"))
		assert.Equal(t, strconv.FormatInt(begin.Add(90*time.Second).Unix(), 10), r.header.Get("X-RateLimit-Reset"))

		time.Sleep(500 * time.Millisecond)
		assert.Equal(t, 404, c.get("/nothing").status)
		r = c.get("/nothing")
		assert.Equal(t, 429, r.status)
		assert.Equal(t, mid.CodeRateLimitExceeded, r.Error.Code)
		assert.Equal(t, 90, r.Error.RetryAfter, "89.5 seconds, rounded up")
		assert.Equal(t, "0", r.header.Get("X-RateLimit-Remaining"))
		assert.NotEmpty(t, r.Meta.RequestID)
		assert.Equal(t, 429, c.post("/auth/token", tokenRequest(c.srv)).status, "token requests count")

		time.Sleep(90 * time.Second)
		assert.Equal(t, 404, c.get("/nothing").status, "a new window")
		c.srv.SetQuota(0, time.Minute)
		assert.Equal(t, 429, c.get("/nothing").status)
		c.srv.SetQuota(1, time.Minute)
		assert.Equal(t, 404, c.get("/nothing").status)
	})
}

func TestQuotaResetIsNeverEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Millisecond) // a bubble begins with a whole second
		c := start(t, midtest.WithInMemory(), midtest.WithQuota(1, time.Minute))
		ends := time.Now().Add(time.Minute)
		reset, err := strconv.ParseInt(c.get("/nothing").header.Get("X-RateLimit-Reset"), 10, 64)
		require.NoError(t, err)
		assert.Equal(t, ends.Unix()+1, reset)
	})
}

func TestDateFollowsTheBubblesClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := start(t, midtest.WithInMemory())
		time.Sleep(42 * time.Hour)
		date, err := http.ParseTime(c.get("/nothing").header.Get("Date"))
		require.NoError(t, err)
		assert.True(t, date.Equal(time.Now()))
	})
}

// witness looks into the log when an answer begins.
type witness struct {
	http.ResponseWriter
	look func()
}

func (w witness) WriteHeader(status int) {
	w.look()
	w.ResponseWriter.WriteHeader(status)
}

func TestRequestsAreLoggedBeforeTheyAreAnswered(t *testing.T) {
	var c *caller
	var logged []int
	c = &caller{t: t, srv: midtest.NewServer(midtest.WithMiddleware(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(witness{w, func() { logged = append(logged, len(c.srv.Requests())) }}, r)
		})
	}))}
	defer c.srv.Close()
	c.authorize()
	c.session("")
	c.srv.Inject(midtest.Fault{Status: 503})
	c.get("/nothing")
	c.get("/nothing")
	assert.Equal(t, []int{1, 2, 3, 4}, logged)
}

func TestRequestsAreLogged(t *testing.T) {
	c := start(t)
	long := strings.Repeat("x", 100<<10)
	c.post("/auth/sessions?a=b", `{"intent":"`+long+`"}`, "X-Mark", "yes")
	all := c.srv.Requests()
	require.Len(t, all, 2)
	assert.Equal(t, "/auth/token", all[0].Path)
	got := all[1]
	assert.Equal(t, "POST", got.Method)
	assert.Equal(t, "/auth/sessions", got.Path)
	assert.Equal(t, "b", got.Query.Get("a"))
	assert.Equal(t, "yes", got.Header.Get("X-Mark"))
	assert.Equal(t, 400, got.Status)
	assert.Len(t, got.Body, 64<<10)
	assert.EqualValues(t, len(long)+len(`{"intent":""}`), got.BodySize)
	assert.WithinDuration(t, time.Now(), got.Time, time.Minute)
}
