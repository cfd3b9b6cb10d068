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
