package browser_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go/midtest"
	"github.com/mobid-io/mid-go/midweb"
)

// TestLooksOfSignIn inspects every state of midweb's pages.
func TestLooksOfSignIn(t *testing.T) {
	t.Parallel()
	withAxe(t)
	site := startSite(t, nil)
	page := newTab(t)
	page.open(site.url)
	page.until(atStart)
	page.inspect("start")

	site.Inject(midtest.Fault{Method: http.MethodPost, Path: "/auth/sessions", Status: http.StatusForbidden})
	page.excuse("503")
	page.press("#start")
	page.until(atProblem)
	page.inspect("problem")

	// again asks for a code and returns the session's id.
	again := func(button string) string {
		page.press(button)
		page.until(atState("waiting"))
		return site.newest()
	}
	session := again("#start")
	page.inspect("waiting")
	require.NoError(t, site.Scan(session))
	page.until(atState("scanned"))
	page.inspect("scanned")
	require.NoError(t, site.Reject(session))
	page.until(atState("rejected"))
	page.inspect("rejected")

	session = again("[data-for=rejected] button")
	require.NoError(t, site.Expire(session))
	page.until(atState("expired"))
	page.inspect("expired")

	session = again("[data-for=expired] button")
	site.Inject(midtest.Fault{Method: http.MethodPost, Path: "/auth/verify", Status: http.StatusForbidden})
	require.NoError(t, site.Approve(session, "user_noor_haddad"))
	page.until(atState("failed"))
	page.inspect("failed")

	session = again("[data-for=failed] button")
	// The page would go on too soon to be inspected.
	ask[bool](page, "Boolean(window.setTimeout = ((go) => (f, ms) => ms === 700 ? 0 : go(f, ms))(setTimeout.bind(window)))")
	require.NoError(t, site.Approve(session, "user_noor_haddad"))
	page.until(atState("approved"))
	page.inspect("approved")
}

// TestLooksOfLanguages inspects the page in German, and in a language that is
// written from right to left, with a number to compare.
func TestLooksOfLanguages(t *testing.T) {
	t.Parallel()
	withAxe(t)
	site := startSite(t, func(c *midweb.Config) {
		c.Person = func(*http.Request) (midweb.Person, error) {
			return midweb.Person{Metadata: map[string]string{midweb.MetadataNumber: "42"}}, nil
		}
		c.Texts = map[string]map[string]string{"ar": {
			"dir":          "rtl",
			"heading":      "سجّل الدخول بهاتفك",
			"start_text":   "لا كلمة مرور تتذكرها.",
			"start_button": "اعرض رمز الدخول",
			"start_hint":   "تحتاج إلى تطبيق MID على هاتفك.",
			"step_open":    "افتح تطبيق MID على هاتفك.",
			"step_scan":    "امسح الرمز الظاهر في هذه الصفحة.",
			"step_approve": "راجع الطلب ووافق عليه.",
			"warning":      "هل أرسل إليك أحد هذا الرمز؟ توقف إذن: وافق فقط على ما بدأته بنفسك.",
			"waiting_left": "الوقت المتبقي:",
			"number":       "يجب أن يعرض هاتفك هذا الرقم:",
		}}
	})
	for _, language := range []string{"de", "ar"} {
		page := newTab(t)
		page.speaks(language)
		page.startSignIn(site.url)
		page.inspectIn("waiting-"+language, language)
		require.NoError(t, site.Scan(site.newest()))
		page.until(atState("scanned"))
		page.inspectIn("scanned-"+language, language)
		if language == "ar" {
			steps, stage := ask[float64](page, `document.querySelector(".steps").getBoundingClientRect().left`),
				ask[float64](page, `document.querySelector(".stage").getBoundingClientRect().left`)
			assert.Greater(t, steps, stage, "the page does not run from right to left")
		}
	}
}

// TestLooksOfExample inspects what is the example's own.
func TestLooksOfExample(t *testing.T) {
	t.Parallel()
	withAxe(t)
	m := startMock(t)
	app := startDemo(t, m)
	page, phone := newTab(t), newTab(t)
	page.startSignIn(app.site)
	phone.approveAs(m, page.scan(), "user_noor_haddad")
	page.user()
	page.inspect("account")
}

// TestLooksOfBusy inspects the page of those whom the brake holds back, on which
// nothing moves meanwhile.
func TestLooksOfBusy(t *testing.T) {
	t.Parallel()
	withAxe(t)
	site := startSite(t, func(c *midweb.Config) { c.Brake = midweb.Brake{} })
	refresh := regexp.MustCompile(`<meta http-equiv="refresh"[^>]*>`)
	behind, err := url.Parse(site.url)
	require.NoError(t, err)
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(behind) },
		ModifyResponse: func(r *http.Response) error {
			body, err := io.ReadAll(r.Body)
			body = refresh.ReplaceAll(body, nil)
			r.Body = io.NopCloser(bytes.NewReader(body))
			r.Header.Del("Content-Length")
			return err
		},
	})
	t.Cleanup(proxy.Close)
	site.flood(t)
	page := newTab(t)
	page.excuse("429")
	page.open(proxy.URL)
	page.press("#start")
	page.until(atBusy)
	page.inspect("busy")
}
