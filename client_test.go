package mid_test

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/mobid-io/mid-go"
)

func TestNewClientNeedsCredentials(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ id, secret, want string }{
		{"", "", "mid: clientID is empty"},
		{" ", "x", "mid: clientID is empty"},
		{"x", "", "mid: clientSecret is empty"},
		{"x", "\n", "mid: clientSecret is empty"},
	} {
		c, err := mid.NewClient(tt.id, tt.secret)
		require.Nil(t, c)
		requireInvalid(t, err)
		require.EqualError(t, err, tt.want)
	}
	source := mid.WithTokenSource(mid.OAuth2TokenSource(oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "own"})))
	c, err := mid.NewClient("", "", source)
	require.NoError(t, err, "a token source needs no credentials")
	require.NotNil(t, c.Webhooks, "though it can verify no event")
}

func TestNewClientSendsNothing(t *testing.T) {
	t.Parallel()
	a := &api{}
	c := a.client(t)
	require.Zero(t, a.tokenRequests())
	require.Equal(t, mid.RateLimit{}, c.RateLimit())
	for _, service := range []any{c.Authentication, c.Identity, c.Signing, c.Webhooks} {
		require.False(t, reflect.ValueOf(service).IsNil())
	}
}

func TestNewClientFromEnv(t *testing.T) {
	for name, tt := range map[string]struct {
		env  map[string]string
		opts []mid.Option
		fail string
		// host is where requests go, signed is the secret of the webhooks.
		host, signed string
	}{
		"nothing":             {nil, nil, "mid: MID_CLIENT_ID is not set in the environment", "", ""},
		"id alone":            {map[string]string{"MID_CLIENT_ID": "x"}, nil, "mid: MID_CLIENT_SECRET is not set in the environment", "", ""},
		"secret alone":        {map[string]string{"MID_CLIENT_SECRET": "x"}, nil, "mid: MID_CLIENT_ID is not set in the environment", "", ""},
		"both":                {env(), nil, "", "api.mobid.io", "env-secret"},
		"base URL":            {env("MID_BASE_URL", "https://eu.example/v1/"), nil, "", "eu.example", "env-secret"},
		"plain base URL":      {env("MID_BASE_URL", "http://eu.example/v1"), nil, "mid: MID_BASE_URL refuses plain http except on loopback: secrets would be readable on their way", "", ""},
		"no base URL":         {env("MID_BASE_URL", "eu.example"), nil, "mid: MID_BASE_URL needs an absolute https URL, like https://api.mobid.io/v1", "", ""},
		"user in base URL":    {env("MID_BASE_URL", "https://a:b@eu.example"), nil, "mid: MID_BASE_URL takes no user, query or fragment", "", ""},
		"option's URL wins":   {env("MID_BASE_URL", "https://eu.example/v1"), []mid.Option{mid.WithSandbox()}, "", "sandbox.api.mobid.io", "env-secret"},
		"option's URL wrong":  {env(), []mid.Option{mid.WithBaseURL("x")}, "mid: WithBaseURL needs an absolute https URL, like https://api.mobid.io/v1", "", ""},
		"webhook secret":      {env("MID_WEBHOOK_SECRET", "hook"), nil, "", "api.mobid.io", "hook"},
		"blank secret":        {env("MID_WEBHOOK_SECRET", " "), nil, "mid: MID_WEBHOOK_SECRET is empty", "", ""},
		"secret from a file":  {env("MID_WEBHOOK_SECRET", "hook\n"), nil, "mid: MID_WEBHOOK_SECRET begins or ends with white space, such as a file's last line break", "", ""},
		"option's hooks win":  {env("MID_WEBHOOK_SECRET", "hook"), []mid.Option{mid.WithWebhooks(mid.WebhookConfig{Secrets: []string{"own"}})}, "", "api.mobid.io", "own"},
		"option lacks secret": {env("MID_WEBHOOK_SECRET", "hook"), []mid.Option{mid.WithWebhooks(mid.WebhookConfig{Tolerance: time.Hour})}, "", "api.mobid.io", "hook"},
		"no secret at all":    {env(), []mid.Option{mid.WithWebhooks(mid.WebhookConfig{Tolerance: time.Hour})}, "", "api.mobid.io", "env-secret"},
		"token source": {map[string]string{"MID_WEBHOOK_SECRET": "hook"}, []mid.Option{mid.WithTokenSource(
			mid.OAuth2TokenSource(oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "own"})))}, "", "api.mobid.io", "hook"},
		"nil option": {env(), []mid.Option{nil}, "mid: Option is nil", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			for _, key := range []string{"MID_CLIENT_ID", "MID_CLIENT_SECRET", "MID_BASE_URL", "MID_WEBHOOK_SECRET"} {
				t.Setenv(key, tt.env[key])
			}
			h := &hostWatcher{}
			c, err := mid.NewClientFromEnv(append([]mid.Option{mid.WithHTTPClient(&http.Client{Transport: h})}, tt.opts...)...)
			if tt.fail != "" {
				require.Nil(t, c)
				requireInvalid(t, err)
				require.EqualError(t, err, tt.fail)
				return
			}
			require.NoError(t, err)
			require.NoError(t, c.Call(t.Context(), "GET", "/x", nil, nil))
			require.Equal(t, tt.host, last(h.urls).Host)
			hooks, err := mid.NewWebhookService(mid.WebhookConfig{Secrets: []string{tt.signed}})
			require.NoError(t, err)
			require.Equal(t, hooks.Sign([]byte("{}")), c.Webhooks.Sign([]byte("{}")))
		})
	}
}

// env is a complete environment, with a variable more.
func env(more ...string) map[string]string {
	m := map[string]string{"MID_CLIENT_ID": "env-id", "MID_CLIENT_SECRET": "env-secret"}
	if len(more) == 2 {
		m[more[0]] = more[1]
	}
	return m
}

func TestTheClientsSecretSignsWebhooksByDefault(t *testing.T) {
	t.Parallel()
	c, err := mid.NewClient(testID, testSecret)
	require.NoError(t, err)
	hooks, err := mid.NewWebhookService(mid.WebhookConfig{Secrets: []string{testSecret}})
	require.NoError(t, err)
	require.NoError(t, c.Webhooks.Verify([]byte("{}"), hooks.Sign([]byte("{}"))))
}

// Secrets that were set before stay, so that an option with only a store, for
// a client that was made elsewhere, does not exchange them.
func TestWithWebhooksKeepsTheSecrets(t *testing.T) {
	t.Parallel()
	c, err := mid.NewClient(testID, testSecret,
		mid.WithWebhooks(mid.WebhookConfig{Secrets: []string{"first"}}), mid.WithWebhooks(mid.WebhookConfig{Tolerance: time.Hour}))
	require.NoError(t, err)
	hooks, err := mid.NewWebhookService(mid.WebhookConfig{Secrets: []string{"first"}})
	require.NoError(t, err)
	require.NoError(t, c.Webhooks.Verify([]byte("{}"), hooks.Sign([]byte("{}"))))
}

// What the caller passes in is the caller's: it is read once and never changed.
func TestNothingOfTheCallersIsChangedOrShared(t *testing.T) {
	t.Parallel()
	a := &api{handle: answers(status(200, ok("{}")))}
	own := &http.Client{Transport: a, Timeout: time.Minute}
	before := *own
	secrets := []string{"first", "second"}
	cfg := mid.WebhookConfig{Secrets: secrets}
	c, err := mid.NewClient(testID, testSecret, mid.WithHTTPClient(own), mid.WithWebhooks(cfg), mid.WithPlan(mid.PlanSandbox))
	require.NoError(t, err)
	require.NoError(t, c.Call(t.Context(), "GET", "/x", nil, nil))
	require.Same(t, before.Transport, own.Transport)
	require.Equal(t, before.Timeout, own.Timeout)
	require.Nil(t, own.CheckRedirect)
	require.Nil(t, own.Jar)
	require.Equal(t, []string{"first", "second"}, secrets)
	require.Equal(t, mid.Plan{RequestsPerMinute: 60, Burst: 120}, mid.PlanSandbox)

	// Changed afterwards, it changes nothing.
	signed := c.Webhooks.Sign([]byte("{}"))
	secrets[0], own.Transport, own.Timeout = "changed", nil, time.Nanosecond
	require.Equal(t, signed, c.Webhooks.Sign([]byte("{}")))
	require.NoError(t, c.Call(t.Context(), "GET", "/x", nil, nil))
	require.Len(t, a.sent(), 2)
}

func TestAnOptionMayServeSeveralClients(t *testing.T) {
	t.Parallel()
	a := &api{handle: answers(status(200, ok("{}")))}
	opts := []mid.Option{
		mid.WithHTTPClient(&http.Client{Transport: a}), mid.WithAppInfo("shop", "1"), mid.WithPlan(mid.PlanStandard),
		mid.WithMiddleware(func(next http.RoundTripper) http.RoundTripper { return next }), mid.WithRetry(mid.RetryPolicy{}),
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			c, err := mid.NewClient(testID, testSecret, opts...)
			if err == nil {
				err = c.Call(t.Context(), "GET", "/x", nil, nil)
			}
			require.NoError(t, err)
		})
	}
	wg.Wait()
	require.Equal(t, 8, a.tokenRequests(), "each client has a token of its own")
}

// tlsServer serves the API over TLS and counts the requests that got through.
func tlsServer(t *testing.T, cfg *tls.Config) (server *httptest.Server, requests *atomic.Int32) {
	t.Helper()
	requests = new(atomic.Int32)
	server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		if r.URL.Path == "/v1/auth/token" {
			_, _ = io.WriteString(w, ok(`{"access_token":"token-of-the-test","token_type":"Bearer","expires_in":3600}`))
			return
		}
		name := ""
		if len(r.TLS.PeerCertificates) > 0 {
			name = r.TLS.PeerCertificates[0].Subject.CommonName
		}
		_, _ = io.WriteString(w, ok(`{"name":"`+name+`","proto":"`+r.Proto+`"}`))
	}))
	server.TLS = cfg
	server.Config.ErrorLog = discardLog
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	return server, requests
}
