package mid

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Option configures a [Client]. An invalid option makes [NewClient] fail with a
// [*ValidationError].
type Option func(*config) error

// The names of NewClient's parameters, in errors.
const (
	fieldClientID     = "clientID"
	fieldClientSecret = "clientSecret"
)

const defaultAttemptTimeout = 30 * time.Second

// config is what the options set. It shares nothing that the caller may change.
type config struct {
	clientID, clientSecret string

	credentials func(context.Context) (clientID, clientSecret string, err error)

	baseURL         *url.URL
	httpClient      http.Client
	certificate     *tls.Certificate
	certificateFor  func(*tls.CertificateRequestInfo) (*tls.Certificate, error)
	source          TokenSource
	cache           TokenCache
	cacheMiddleware []func(TokenCache) TokenCache
	plan            *Plan
	limiter         Limiter
	retry           RetryPolicy
	attemptTimeout  time.Duration
	logger          *slog.Logger
	appInfo         string
	fieldNames      FieldNames
	middleware      []func(http.RoundTripper) http.RoundTripper
	observers       callObservers
	webhooks        WebhookConfig
}

func newConfig(clientID, clientSecret string, opts []Option) (*config, error) {
	cfg := &config{
		clientID:       clientID,
		clientSecret:   clientSecret,
		retry:          DefaultRetryPolicy(),
		attemptTimeout: defaultAttemptTimeout,
	}
	opts = append([]Option{WithBaseURL(ProductionURL)}, opts...)
	for _, opt := range opts {
		if opt == nil {
			return nil, invalid("Option", "is nil")
		}
		if err := opt(cfg); err != nil {
			return nil, err
		}
	}
	if cfg.source == nil && cfg.credentials == nil {
		if err := firstError(credential(fieldClientID, clientID), credential(fieldClientSecret, clientSecret)); err != nil {
			return nil, err
		}
	}
	switch {
	case cfg.plan != nil && cfg.limiter != nil:
		return nil, invalid("WithPlan", "and WithLimiter exclude each other")
	case cfg.credentials != nil && cfg.source != nil:
		return nil, invalid("WithCredentialsFunc", "and WithTokenSource exclude each other")
	case cfg.certificateFor != nil && cfg.certificate != nil:
		return nil, invalid("WithClientCertificateFunc", "and WithClientCertificate exclude each other")
	}
	if len(cfg.webhooks.Secrets) == 0 && clientSecret != "" {
		if err := webhookSecret(fieldClientSecret, clientSecret); err != nil {
			return nil, err
		}
		cfg.webhooks.Secrets = []string{clientSecret}
	}
	return cfg, nil
}

// WithBaseURL sets the API's base URL, with its /v1, like [ProductionURL]. The
// client secret and the token go there, so it must be https, or http on a loopback
// address (localhost, 127.0.0.0/8, ::1). A base URL with a query, a fragment or a
// user is refused.
func WithBaseURL(baseURL string) Option {
	return func(c *config) error { return c.setBaseURL("WithBaseURL", baseURL) }
}

// setBaseURL names field in its errors.
func (c *config) setBaseURL(field, baseURL string) error {
	baseURL = strings.TrimRight(strings.TrimSpace(baseURL), "/")
	u, err := url.Parse(baseURL)
	switch {
	case err != nil || u.Hostname() == "" || (u.Scheme != "https" && u.Scheme != "http"):
		return invalid(field, "needs an absolute https URL, like "+ProductionURL)
	case u.User != nil || strings.ContainsAny(baseURL, "?#"):
		return invalid(field, "takes no user, query or fragment")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return invalid(field, "refuses plain http except on loopback: secrets would be readable on their way")
	}
	// Package net/http asks for a proxy for a LOCALHOST, though not for localhost.
	u.Host = strings.ToLower(u.Host)
	c.baseURL = u
	return nil
}

// loopback leaves out names under .localhost, because Go asks the DNS for them.
func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || (err == nil && addr.Unmap().IsLoopback())
}

// WithSandbox is WithBaseURL([SandboxURL]).
func WithSandbox() Option { return WithBaseURL(SandboxURL) }

// WithHTTPClient sets the client that requests are sent with: its Transport,
// Timeout and Jar. The client is copied, never changed. Redirects are never
// followed, whatever its CheckRedirect says.
//
// If Transport is nil, the SDK's own is used, which speaks TLS 1.3 only. Clients
// of the same [WithAttemptTimeout] share its connections, unless they have a
// client certificate. A Transport of your own finds an HTTP/2 connection that has
// died silently only if its [http.HTTP2Config] sends pings.
//
// Timeout bounds each attempt as a whole, its body included. Leave it zero for
// large uploads, and use [WithAttemptTimeout].
func WithHTTPClient(client *http.Client) Option {
	return func(c *config) error {
		if client == nil {
			return invalid("WithHTTPClient", "needs a client")
		}
		if t, ok := client.Transport.(*http.Transport); ok && t == nil {
			return invalid("WithHTTPClient", "has a nil *http.Transport; leave Transport nil for the SDK's own")
		}
		c.httpClient = *client
		return nil
	}
}

// WithCredentialsFunc is for client credentials that rotate. credentials returns
// the current ones, and is called for each token request, which is once in a
// token's life. If the server refuses them (invalid_client), it is called once
// more, and the token request is repeated if they have changed.
//
// The client id and secret given to [NewClient] are then not sent, and may be
// empty. Without a secret there, [Client.Webhooks] verifies only with the Secrets
// of [WithWebhooks].
//
// ctx comes from the [TokenCache], and does not end with a caller's. An error is
// retried within the retries of the calls that wait. Empty or malformed
// credentials are a [*ValidationError] and are never sent. credentials must be
// safe for concurrent use. WithCredentialsFunc excludes [WithTokenSource].
func WithCredentialsFunc(credentials func(ctx context.Context) (clientID, clientSecret string, err error)) Option {
	return func(c *config) error {
		if credentials == nil {
			return invalid("WithCredentialsFunc", "needs a function")
		}
		c.credentials = credentials
		return nil
	}
}

// WithTokenSource replaces the exchange of the client credentials for a token.
// The client id and secret may then be empty. It excludes [WithCredentialsFunc].
func WithTokenSource(source TokenSource) Option {
	return func(c *config) error {
		if source == nil {
			return invalid("WithTokenSource", "needs a token source")
		}
		c.source = source
		return nil
	}
}

// WithTokenCache replaces the client's own token cache with one that clients with
// the same credentials may share.
func WithTokenCache(cache TokenCache) Option {
	return func(c *config) error {
		if cache == nil {
			return invalid("WithTokenCache", "needs a token cache")
		}
		c.cache = cache
		return nil
	}
}

// WithTokenCacheMiddleware wraps the client's token cache, its own or that of
// [WithTokenCache], for traces and metrics. What middleware returns must keep the
// promises of a [TokenCache]. Of several, the first given is the outermost.
func WithTokenCacheMiddleware(middleware func(TokenCache) TokenCache) Option {
	return func(c *config) error {
		if middleware == nil {
			return invalid("WithTokenCacheMiddleware", "needs a function")
		}
		c.cacheMiddleware = append(c.cacheMiddleware, middleware)
		return nil
	}
}

// WithPlan paces requests ahead of the plan's rate limit, so that the whole quota
// can be used without a 429. The rate limit headers of the answers bound them
// too; without a plan, only these do. It excludes [WithLimiter].
func WithPlan(plan Plan) Option {
	return func(c *config) error {
		if plan.RequestsPerMinute < 1 || plan.Burst < 1 {
			return invalid("WithPlan", "needs at least one request a minute and a burst of one")
		}
		c.plan = &plan
		return nil
	}
}

// WithLimiter replaces the client's own limiter with one that clients of the same
// quota may share. It excludes [WithPlan].
func WithLimiter(limiter Limiter) Option {
	return func(c *config) error {
		if limiter == nil {
			return invalid("WithLimiter", "needs a limiter")
		}
		c.limiter = limiter
		return nil
	}
}

// WithRetry sets the retry policy; see [RetryPolicy] for how to make one. Negative
// numbers, waits of more than a year, and a MinWait that is longer than MaxWait are
// refused.
func WithRetry(policy RetryPolicy) Option {
	return func(c *config) error {
		if policy.MaxRetries < 0 || policy.MinWait < 0 || policy.MaxWait < 0 || policy.MaxRetryAfter < 0 {
			return invalid("WithRetry", "takes no negative numbers")
		}
		if max(policy.MinWait, policy.MaxWait, policy.MaxRetryAfter) > maxPolicyWait {
			return invalid("WithRetry", "takes no wait of more than a year")
		}
		filled := policy.filled()
		if filled.MinWait > filled.MaxWait {
			return invalid("WithRetry", "has a MinWait longer than its MaxWait")
		}
		c.retry = filled
		return nil
	}
}

// WithAttemptTimeout sets how long one attempt may make no progress. Progress is
// a connection, a byte of the request's body that the other side acknowledges, or
// a byte of the answer, so an upload lives as long as its bytes move. An attempt
// that times out is retried. The default is 30 seconds; timeout must be more than
// zero. To bound a whole call, give its ctx a deadline.
func WithAttemptTimeout(timeout time.Duration) Option {
	return func(c *config) error {
		if timeout <= 0 {
			return invalid("WithAttemptTimeout", "must be more than zero")
		}
		c.attemptTimeout = timeout
		return nil
	}
}

// WithLogger logs a line for every wire send: method, path, attempt, duration,
// status and request id. The level is Info, or Warn for 429, 5xx and failures. No
// line holds a secret, a query or a body. [Client.Webhooks] uses the logger too,
// unless [WithWebhooks] has one of its own. Without WithLogger nothing is logged.
func WithLogger(logger *slog.Logger) Option {
	return func(c *config) error {
		if logger == nil {
			return invalid("WithLogger", "needs a logger")
		}
		c.logger = logger
		return nil
	}
}

// WithAppInfo adds the application's name and version to the User-Agent (RFC
// 9110 section 10.1.5). version may be empty.
func WithAppInfo(name, version string) Option {
	return func(c *config) error {
		if !isToken(name) || (version != "" && !isToken(version)) {
			return invalid("WithAppInfo", "needs a name and a version of letters, digits and -._ without spaces")
		}
		c.appInfo = " " + name
		if version != "" {
			c.appInfo += "/" + version
		}
		return nil
	}
}

// WithMiddleware wraps the transport. Middleware sees every wire send as it leaves,
// retries, replays and token requests included. Requests hold secrets. Of several,
// the first given is the outermost. Middleware that reads a response's body must put
// another in its place.
func WithMiddleware(middleware func(http.RoundTripper) http.RoundTripper) Option {
	return func(c *config) error {
		if middleware == nil {
			return invalid("WithMiddleware", "needs a function")
		}
		c.middleware = append(c.middleware, middleware)
		return nil
	}
}

// WithCallObserver observes each call as a whole, for traces and metrics. begin is
// called when a call begins: once for a typed method or [Client.Call], however often
// it is sent, and once each time that a Wait or a Watch asks for the status. A call
// whose parameters are invalid, or whose file can't be opened, is not observed. Token
// requests belong to no call.
//
// The call goes on with the context that begin returns, which must be derived from
// ctx. end is called once, with the call's error or nil. If the context or end is
// nil, it is ignored. Of several observers, the first given begins first and ends
// last. begin must be safe for concurrent use.
func WithCallObserver(begin func(ctx context.Context, op Operation) (_ context.Context, end func(error))) Option {
	return func(c *config) error {
		if begin == nil {
			return invalid("WithCallObserver", "needs a function")
		}
		c.observers = append(c.observers, begin)
		return nil
	}
}

// WithFieldNames sets how the names of fields are spelled in JSON bodies and in
// the forms of uploads. The default is [SnakeCase]. Three kinds of names stay as
// they are: the keys of metadata, those of token requests, which are OAuth 2.0's,
// and those in the bodies of [Client.Call].
//
// Answers and events are read in either spelling.
func WithFieldNames(names FieldNames) Option {
	return func(c *config) error {
		if names != SnakeCase && names != CamelCase {
			return invalid("WithFieldNames", "takes SnakeCase or CamelCase")
		}
		c.fieldNames = names
		return nil
	}
}

// WithWebhooks configures [Client.Webhooks]. If cfg has no Secrets, those of an
// earlier WithWebhooks or of [NewClientFromEnv] stay in force. If there are none
// either, the client secret is used, which is MID's default.
func WithWebhooks(cfg WebhookConfig) Option {
	return func(c *config) error {
		before := c.webhooks.Secrets
		c.webhooks = cfg // a copy, because an option may be used for several clients
		if len(cfg.Secrets) == 0 {
			c.webhooks.Secrets = before
		}
		return nil
	}
}
