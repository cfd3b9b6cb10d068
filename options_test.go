package mid_test

import (
	"crypto/tls"
	"log/slog"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// requireInvalid returns err as the ValidationError that it must be.
func requireInvalid(t *testing.T, err error) *mid.ValidationError {
	t.Helper()
	var v *mid.ValidationError
	require.ErrorAs(t, err, &v)
	require.NotEmpty(t, v.Field)
	require.NotEmpty(t, v.Reason)
	return v
}

func TestOptionsThatCanNotBeRight(t *testing.T) {
	t.Parallel()
	const anURL = "WithBaseURL needs an absolute https URL, like https://api.mobid.io/v1"
	const bare = "WithBaseURL takes no user, query or fragment"
	const plain = "WithBaseURL refuses plain http except on loopback: secrets would be readable on their way"
	const waits = "WithRetry takes no negative numbers"
	const app = "WithAppInfo needs a name and a version of letters, digits and -._ without spaces"
	const pair = "WithClientCertificate needs a certificate and its private key, see tls.LoadX509KeyPair"
	limiter := mid.WithLimiter(&recorder{})
	for _, tt := range []struct {
		want string
		opts []mid.Option
	}{
		{"Option is nil", []mid.Option{nil}},

		{anURL, []mid.Option{mid.WithBaseURL("")}},
		{anURL, []mid.Option{mid.WithBaseURL("api.mobid.io/v1")}},
		{anURL, []mid.Option{mid.WithBaseURL("/v1")}},
		{anURL, []mid.Option{mid.WithBaseURL("ftp://api.mobid.io/v1")}},
		{anURL, []mid.Option{mid.WithBaseURL("https:///v1")}},
		{anURL, []mid.Option{mid.WithBaseURL("https://:443/v1")}},
		{anURL, []mid.Option{mid.WithBaseURL("https://api.mobid.io:port/v1")}},
		{anURL, []mid.Option{mid.WithBaseURL("https:api.mobid.io")}},
		{bare, []mid.Option{mid.WithBaseURL("https://ada:pass@api.mobid.io/v1")}},
		{bare, []mid.Option{mid.WithBaseURL("https://ada@api.mobid.io/v1")}},
		{bare, []mid.Option{mid.WithBaseURL("https://api.mobid.io/v1?a=b")}},
		{bare, []mid.Option{mid.WithBaseURL("https://api.mobid.io/v1?")}},
		{bare, []mid.Option{mid.WithBaseURL("https://api.mobid.io/v1#a")}},
		{bare, []mid.Option{mid.WithBaseURL("https://api.mobid.io/v1/#")}},
		{plain, []mid.Option{mid.WithBaseURL("http://api.mobid.io/v1")}},
		{plain, []mid.Option{mid.WithBaseURL("http://localhost.evil.example/v1")}},
		{plain, []mid.Option{mid.WithBaseURL("http://evil.localhost/v1")}},
		{plain, []mid.Option{mid.WithBaseURL("http://127.0.0.1.evil.example/v1")}},
		{plain, []mid.Option{mid.WithBaseURL("http://0.0.0.0/v1")}},
		{plain, []mid.Option{mid.WithBaseURL("http://[::]/v1")}},
		{plain, []mid.Option{mid.WithBaseURL("http://10.0.0.1/v1")}},
		{plain, []mid.Option{mid.WithBaseURL("http://128.0.0.1/v1")}},
		{plain, []mid.Option{mid.WithBaseURL("http://127.1/v1")}},
		{plain, []mid.Option{mid.WithBaseURL("HTTP://example.com")}},

		{"WithHTTPClient needs a client", []mid.Option{mid.WithHTTPClient(nil)}},
		{pair, []mid.Option{mid.WithClientCertificate(tls.Certificate{})}},
		{pair, []mid.Option{mid.WithClientCertificate(tls.Certificate{Certificate: [][]byte{{1}}})}},
		{"WithTokenSource needs a token source", []mid.Option{mid.WithTokenSource(nil)}},
		{"WithTokenCacheMiddleware needs a function", []mid.Option{mid.WithTokenCacheMiddleware(nil)}},
		{"WithTokenCacheMiddleware returned nil", []mid.Option{mid.WithTokenCacheMiddleware(func(mid.TokenCache) mid.TokenCache { return nil })}},
		{"WithTokenCache needs a token cache", []mid.Option{mid.WithTokenCache(nil)}},
		{"WithLimiter needs a limiter", []mid.Option{mid.WithLimiter(nil)}},
		{"WithLogger needs a logger", []mid.Option{mid.WithLogger(nil)}},
		{"WithMiddleware needs a function", []mid.Option{mid.WithMiddleware(nil)}},
		{"WithMiddleware returned nil", []mid.Option{mid.WithMiddleware(func(http.RoundTripper) http.RoundTripper { return nil })}},

		{"WithPlan needs at least one request a minute and a burst of one", []mid.Option{mid.WithPlan(mid.Plan{})}},
		{"WithPlan needs at least one request a minute and a burst of one", []mid.Option{mid.WithPlan(mid.Plan{RequestsPerMinute: 60})}},
		{"WithPlan needs at least one request a minute and a burst of one", []mid.Option{mid.WithPlan(mid.Plan{RequestsPerMinute: -1, Burst: 9})}},
		{"WithPlan and WithLimiter exclude each other", []mid.Option{mid.WithPlan(mid.PlanSandbox), limiter}},
		{"WithPlan and WithLimiter exclude each other", []mid.Option{limiter, mid.WithPlan(mid.PlanSandbox)}},

		{waits, []mid.Option{mid.WithRetry(mid.RetryPolicy{MaxRetries: -1})}},
		{waits, []mid.Option{mid.WithRetry(mid.RetryPolicy{MinWait: -1})}},
		{waits, []mid.Option{mid.WithRetry(mid.RetryPolicy{MaxWait: -1})}},
		{waits, []mid.Option{mid.WithRetry(mid.RetryPolicy{MaxRetryAfter: -1})}},
		{"WithRetry takes no wait of more than a year", []mid.Option{mid.WithRetry(mid.RetryPolicy{MinWait: math.MaxInt64})}},
		{"WithRetry takes no wait of more than a year", []mid.Option{mid.WithRetry(mid.RetryPolicy{MaxRetryAfter: 366 * 24 * time.Hour})}},
		{"WithRetry has a MinWait longer than its MaxWait", []mid.Option{mid.WithRetry(mid.RetryPolicy{MinWait: 2, MaxWait: 1})}},
		{"WithAttemptTimeout must be more than zero", []mid.Option{mid.WithAttemptTimeout(0)}},
		{"WithAttemptTimeout must be more than zero", []mid.Option{mid.WithAttemptTimeout(-time.Second)}},

		{app, []mid.Option{mid.WithAppInfo("", "1.0")}},
		{app, []mid.Option{mid.WithAppInfo("web shop", "1.0")}},
		{app, []mid.Option{mid.WithAppInfo("shop", "1 0")}},
		{app, []mid.Option{mid.WithAppInfo("shop\r\nX-Evil: 1", "")}},
		{app, []mid.Option{mid.WithAppInfo("shop/1", "")}},
		{app, []mid.Option{mid.WithAppInfo("Lädchen", "")}},

		{"WebhookConfig.Secrets[1] is empty", []mid.Option{mid.WithWebhooks(mid.WebhookConfig{Secrets: []string{"x", ""}})}},
		{"WebhookConfig.Tolerance is negative", []mid.Option{mid.WithWebhooks(mid.WebhookConfig{Tolerance: -1})}},
		{"WebhookConfig.MaxBodyBytes is negative", []mid.Option{mid.WithWebhooks(mid.WebhookConfig{MaxBodyBytes: -1})}},
	} {
		c, err := mid.NewClient(testID, testSecret, tt.opts...)
		require.Nil(t, c, tt.want)
		require.Error(t, err, tt.want)
		requireInvalid(t, err)
		require.EqualError(t, err, "mid: "+tt.want)
	}
}

func TestBaseURLs(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ base, want string }{
		{"https://api.example.com/v1", "https://api.example.com/v1/x%2Fy"},
		{"https://api.example.com/v1/", "https://api.example.com/v1/x%2Fy"},
		{"https://api.example.com/v1//", "https://api.example.com/v1/x%2Fy"},
		{" https://api.example.com/v1\n", "https://api.example.com/v1/x%2Fy"},
		{"https://api.example.com", "https://api.example.com/x%2Fy"},
		{"https://api.example.com/", "https://api.example.com/x%2Fy"},
		{"HTTPS://api.example.com:8443/a/b/v1", "https://api.example.com:8443/a/b/v1/x%2Fy"},
		{"https://api.example.com/a%2Fb/v1", "https://api.example.com/a%2Fb/v1/x%2Fy"},
		{"http://localhost:8080/v1", "http://localhost:8080/v1/x%2Fy"},
		{"http://LocalHost/v1", "http://localhost/v1/x%2Fy"}, // or a proxy would be asked
		{"http://127.0.0.1:1/v1", "http://127.0.0.1:1/v1/x%2Fy"},
		{"http://127.255.255.254/v1", "http://127.255.255.254/v1/x%2Fy"},
		{"http://[::1]:8080/v1", "http://[::1]:8080/v1/x%2Fy"},
		{"http://[::ffff:127.0.0.1]/v1", "http://[::ffff:127.0.0.1]/v1/x%2Fy"},
	} {
		h := &hostWatcher{}
		c, err := mid.NewClient(testID, testSecret, mid.WithBaseURL(tt.base), mid.WithHTTPClient(&http.Client{Transport: h}))
		require.NoError(t, err, tt.base)
		require.NoError(t, c.Call(t.Context(), "GET", "/x%2Fy", nil, nil), tt.base)
		require.Len(t, h.urls, 2, tt.base)
		require.Equal(t, strings.Replace(tt.want, "x%2Fy", "auth/token", 1), h.urls[0].String())
		require.Equal(t, tt.want, h.urls[1].String())
	}
}

func TestTheLastOptionWins(t *testing.T) {
	t.Parallel()
	h := &hostWatcher{}
	c, err := mid.NewClient(testID, testSecret,
		mid.WithHTTPClient(http.DefaultClient), mid.WithHTTPClient(&http.Client{Transport: h}),
		mid.WithBaseURL("https://first.example/v1"), mid.WithSandbox(),
		mid.WithPlan(mid.Plan{RequestsPerMinute: 1, Burst: 1}), mid.WithPlan(mid.PlanProfessional),
		mid.WithRetry(mid.RetryPolicy{MaxRetries: 9}), mid.WithRetry(mid.RetryPolicy{}),
		mid.WithLogger(slog.Default()), mid.WithLogger(slog.New(slog.DiscardHandler)),
		mid.WithAppInfo("first", ""), mid.WithAppInfo("second", ""),
	)
	require.NoError(t, err)
	for range 5 {
		require.NoError(t, c.Call(t.Context(), "GET", "/x", nil, nil))
	}
	require.Equal(t, "sandbox.api.mobid.io", last(h.urls).Host)
}

func TestRetryPolicyFillsInDefaults(t *testing.T) {
	t.Parallel()
	def := mid.DefaultRetryPolicy()
	require.Equal(t, mid.RetryPolicy{MaxRetries: 3, MinWait: 500 * time.Millisecond, MaxWait: 8 * time.Second, MaxRetryAfter: 2 * time.Minute}, def)
	for _, p := range []mid.RetryPolicy{
		{}, def, {MaxRetries: 1000}, {MaxWait: time.Millisecond}, {MinWait: time.Hour}, {MinWait: time.Second, MaxWait: time.Second}, {MaxRetryAfter: 1},
	} {
		_, err := mid.NewClient(testID, testSecret, mid.WithRetry(p))
		require.NoError(t, err, "%+v", p)
	}
}

func TestUserAgent(t *testing.T) {
	t.Parallel()
	const own = `^mid-go/1\.\d+\.\d+ \(go1\.\S+; \w+/\w+\)`
	for _, tt := range []struct {
		name, version, want string
	}{
		{"", "", own + "$"},
		{"shop", "", own + " shop$"},
		{"shop-web_2", "1.2.3+b5", own + ` shop-web_2/1\.2\.3\+b5$`},
	} {
		var opts []mid.Option
		if tt.name != "" {
			opts = append(opts, mid.WithAppInfo(tt.name, tt.version))
		}
		seen := 0
		opts = append(opts, mid.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
			return tripper(func(r *http.Request) (*http.Response, error) {
				seen++
				require.Regexp(t, tt.want, r.UserAgent(), r.URL.Path)
				return next.RoundTrip(r)
			})
		}))
		require.NoError(t, once(t, status(200, ok("{}")), opts...).Call(t.Context(), "GET", "/x", nil, nil))
		require.Equal(t, 2, seen, "the token request too")
	}
}

func TestMiddlewareOrder(t *testing.T) {
	t.Parallel()
	var order []string
	mark := func(name string) mid.Option {
		return mid.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
			return tripper(func(r *http.Request) (*http.Response, error) {
				order = append(order, name+" "+r.URL.Path)
				return next.RoundTrip(r)
			})
		})
	}
	require.NoError(t, once(t, status(200, ok("{}")), mark("outer"), mark("inner")).Call(t.Context(), "GET", "/x", nil, nil))
	require.Equal(t, []string{"outer /v1/auth/token", "inner /v1/auth/token", "outer /v1/x", "inner /v1/x"}, order)
}

func TestRequestOptionsThatCanNotBeRight(t *testing.T) {
	t.Parallel()
	a := &api{}
	c := a.client(t)
	const sane = "WithHeader needs a header name and a value without control characters"
	cases := map[string][]mid.RequestOption{
		"RequestOption is nil":          {nil},
		"WithResponse needs a Response": {mid.WithResponse(nil)},
		sane: {
			mid.WithHeader("", "x"), mid.WithHeader("A B", "x"), mid.WithHeader("A:", "x"), mid.WithHeader("Ä", "x"), mid.WithHeader("A\r\nB", "x"),
			mid.WithHeader("A", "x\r\nEvil: 1"), mid.WithHeader("A", "\x00"), mid.WithHeader("A", "\x7f"),
		},
		"WithHeader can't set Idempotency-Key; use WithIdempotencyKey": {mid.WithHeader("idempotency-key", "x")},
	}
	for _, key := range []string{
		"Authorization", "Content-Type", "Content-Length", "Host", "Connection", "Transfer-Encoding", "Accept-Encoding", "Trailer", "Upgrade",
	} {
		cases["WithHeader can't set "+key+", which the SDK sets"] = []mid.RequestOption{
			mid.WithHeader(key, "x"), mid.WithHeader(strings.ToLower(key), "x"),
		}
	}
	for want, opts := range cases {
		for _, opt := range opts {
			err := c.Call(t.Context(), "GET", "/x", nil, nil, opt)
			requireInvalid(t, err)
			require.EqualError(t, err, "mid: "+want)
		}
	}
	require.Zero(t, a.tokenRequests())
}

func TestWithHeader(t *testing.T) {
	t.Parallel()
	a := &api{handle: answers(status(503, ""), status(200, ok("{}")))}
	c := a.client(t, mid.WithRetry(mid.RetryPolicy{MaxRetries: 1, MinWait: 1, MaxWait: 1}))
	require.NoError(t, c.Call(t.Context(), "GET", "/x", nil, nil,
		mid.WithHeader("x-trace", "first"), mid.WithHeader("X-Trace", "tab\tand ü"), mid.WithHeader("Accept-Language", "de"), mid.WithHeader("X-Empty", "")))
	require.Len(t, a.sent(), 2)
	for _, s := range a.sent() {
		require.Equal(t, []string{"tab\tand ü"}, s.Header["X-Trace"], "the last wins")
		require.Equal(t, []string{"de"}, s.Header["Accept-Language"])
		require.Equal(t, []string{""}, s.Header["X-Empty"])
	}
	require.NoError(t, c.Call(t.Context(), "GET", "/x", nil, nil))
	require.NotContains(t, last(a.sent()).Header, "X-Trace", "an option is for one call")
}
