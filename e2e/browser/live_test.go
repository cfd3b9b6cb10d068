package browser_test

import (
	"bytes"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go/midtest"
)

// spoken notes what a screen reader would say, from here on.
func (tb *tab) spoken() (said func() []string) {
	tb.t.Helper()
	ask[bool](tb, `(window.said = []) && new MutationObserver((changes) => {
		for (const change of changes) {
			const region = change.target.nodeType === 1 ? change.target : change.target.parentElement;
			if (region.closest("[aria-live], [role=status], [role=alert], [role=timer]")) said.push(region.textContent);
		}
	}).observe(document.body, {subtree: true, childList: true, characterData: true}) || true`)
	return func() []string { tb.t.Helper(); return ask[[]string](tb, "said") }
}

// TestSpokenOnce: each change is said once, and the countdown never.
func TestSpokenOnce(t *testing.T) {
	t.Parallel()
	site := startSite(t, nil)
	page := newTab(t)
	page.startSignIn(site.url)
	said := page.spoken()
	clock := ask[string](page, `document.getElementById("countdown").textContent`)
	page.until(`document.getElementById("countdown").textContent !== "` + clock + `"`)
	page.until(`document.getElementById("countdown").closest("[aria-hidden=true]")`)
	assert.Empty(t, said())
	require.NoError(t, site.Scan(site.newest()))
	page.until(atState("scanned"))
	page.hide("true") // and the stream is asked for anew
	page.hide("false")
	require.NoError(t, site.Reject(site.newest()))
	page.until(atState("rejected"))
	assert.Equal(t, []string{
		"The code was scanned. Approve the sign-in on your phone.",
		"The sign-in was declined on the phone.",
	}, said())
}

// shortLived has the first code of MID's expire after a time.
func shortLived(life time.Duration) midtest.Option {
	expires := regexp.MustCompile(`"expires_at":"[^"]+"`)
	var codes atomic.Int32
	return midtest.WithMiddleware(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodPost || r.URL.Path != "/v1/auth/sessions" || codes.Add(1) > 1 {
				next.ServeHTTP(w, r)
				return
			}
			answer := httptest.NewRecorder()
			next.ServeHTTP(answer, r)
			body := expires.ReplaceAll(answer.Body.Bytes(), []byte(`"expires_at":"`+time.Now().Add(life).UTC().Format(time.RFC3339)+`"`))
			maps.Copy(w.Header(), answer.Header())
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
			w.WriteHeader(answer.Code)
			_, _ = bytes.NewReader(body).WriteTo(w)
		})
	})
}

// TestNewCodeInTime: a page in view gets a new code before the old one expires,
// without being loaded again.
func TestNewCodeInTime(t *testing.T) {
	t.Parallel()
	site := startSite(t, nil, shortLived(33*time.Second)) // the page renews 30 seconds before the end
	page := newTab(t)
	page.startSignIn(site.url)
	page.mark()
	codes := site.AuthSessions()
	first := codes[len(codes)-1].QRData
	page.until(`document.getElementById("app-link").href !== "` + first + `"`)
	second := page.scan()
	assert.NotEqual(t, first, second)
	assert.True(t, page.marked(), "the page was loaded again")
	assert.Equal(t, "Here is a new code.", ask[string](page, `document.getElementById("status").textContent`))
	require.NoError(t, site.Approve(sessionIn(t, second), "user_noor_haddad"))
	assert.Equal(t, "user_noor_haddad", page.user())
}
