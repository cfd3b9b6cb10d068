package mid

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"

	"github.com/mobid-io/mid-go/internal/credentials"
	"github.com/mobid-io/mid-go/internal/transport"
)

// Client is a client of the MID API. It is safe for concurrent use; make one
// and keep it. It needs no closing.
type Client struct {
	// Authentication signs users in on their phone.
	Authentication *AuthenticationService
	// Identity verifies identities from documents and biometrics.
	Identity *IdentityService
	// Signing has documents signed.
	Signing *SigningService
	// Webhooks receives MID's events.
	Webhooks *WebhookService

	pipeline *pipeline
}

// NewClient returns a client for the credentials of a MID account. It sends
// nothing: the first request fetches a token. Invalid options are a
// [*ValidationError], and so are empty credentials, unless [WithCredentialsFunc]
// or [WithTokenSource] makes them unnecessary.
func NewClient(clientID, clientSecret string, opts ...Option) (*Client, error) {
	cfg, err := newConfig(clientID, clientSecret, opts)
	if err != nil {
		return nil, err
	}
	if cfg.webhooks.Logger == nil {
		cfg.webhooks.Logger = cfg.logger
	}
	webhooks, err := newWebhookService(cfg.webhooks)
	if err != nil {
		return nil, err
	}
	p, err := newPipeline(cfg)
	if err != nil {
		return nil, err
	}
	c := &Client{Webhooks: webhooks, pipeline: p}
	c.Authentication = &AuthenticationService{p, webhooks.notifier}
	c.Identity = &IdentityService{p, webhooks.notifier}
	c.Signing = &SigningService{p, webhooks.notifier}
	return c, nil
}

// NewClientFromEnv is [NewClient] with the credentials in the environment
// variables MID_CLIENT_ID and MID_CLIENT_SECRET. MID_BASE_URL, if set, is the
// base URL, as for [WithBaseURL]. MID_WEBHOOK_SECRET, if set, is the webhook
// secret, unless [WithWebhooks] has Secrets. opts win over the environment, but
// these two must be valid in any case.
func NewClientFromEnv(opts ...Option) (*Client, error) {
	var env []Option
	if secret := os.Getenv("MID_WEBHOOK_SECRET"); secret != "" {
		if err := webhookSecret("MID_WEBHOOK_SECRET", secret); err != nil {
			return nil, err
		}
		env = append(env, WithWebhooks(WebhookConfig{Secrets: []string{secret}}))
	}
	if baseURL := os.Getenv("MID_BASE_URL"); baseURL != "" {
		env = append(env, func(c *config) error { return c.setBaseURL("MID_BASE_URL", baseURL) })
	}
	c, err := NewClient(os.Getenv("MID_CLIENT_ID"), os.Getenv("MID_CLIENT_SECRET"), append(env, opts...)...)
	if v, ok := errors.AsType[*ValidationError](err); ok {
		if name := envNames[v.Field]; name != "" && os.Getenv(name) == "" {
			return nil, invalid(name, "is not set in the environment")
		} else if name != "" {
			return nil, invalid(name, v.Reason)
		}
	}
	return c, err
}

var envNames = map[string]string{fieldClientID: "MID_CLIENT_ID", fieldClientSecret: "MID_CLIENT_SECRET"}

// newPipeline makes the pipeline and the parts that its stages use.
func newPipeline(cfg *config) (*pipeline, error) {
	p := &pipeline{
		failures:   failures{base: cfg.baseURL, secret: func() string { return cfg.clientSecret }},
		userAgent:  fmt.Sprintf("mid-go/%s (%s; %s/%s)%s", Version, runtime.Version(), runtime.GOOS, runtime.GOARCH, cfg.appInfo),
		fieldNames: cfg.fieldNames,
		observers:  cfg.observers,
		limiter:    newPacer(cfg.plan, cfg.limiter, cfg.retry.MaxRetryAfter),
	}
	if cfg.source != nil {
		p.fetchToken = checkedSource(&p.failures, cfg.source)
	} else {
		own := &credentials.Source{Ask: cfg.askCredentials, Request: p.requestToken, Refused: isInvalidClient}
		p.secret = func() string { return cmp.Or(own.Secret(), cfg.clientSecret) }
		p.fetchToken = own.Token
	}
	p.fetchToken = p.asTokenRequest(p.fetchToken)
	var err error
	if p.tokenCache, err = cfg.tokenCache(p.fetchToken); err != nil {
		return nil, err
	}
	return p, p.assemble(cfg)
}

// tokenCache returns the application's cache or the client's own, with what the
// application has put around it.
func (c *config) tokenCache(fetch fetchFunc) (TokenCache, error) {
	if c.cache == nil && len(c.cacheMiddleware) == 0 {
		return newTokenCache(c.retry.MaxRetryAfter), nil
	}
	cache := c.cache
	if cache == nil {
		cache = newTokenCache(c.retry.MaxRetryAfter)
	}
	for _, wrap := range slices.Backward(c.cacheMiddleware) {
		if cache = wrap(cache); cache == nil {
			return nil, invalid("WithTokenCacheMiddleware", "returned nil")
		}
	}
	return newCheckedCache(cache, fetch), nil
}

// assemble puts the stages together, from the wire up:
//
//	typed method → validate → encode → retry → auth → limit → bearer → log → attempt → middleware → base
func (p *pipeline) assemble(cfg *config) error {
	bottom, err := cfg.transport()
	if err != nil {
		return err
	}
	var wire http.RoundTripper = transport.NewBase(&cfg.httpClient, bottom)
	for _, wrap := range slices.Backward(cfg.middleware) {
		if wire = wrap(wire); wire == nil {
			return invalid("WithMiddleware", "returned nil")
		}
	}
	wire = &transport.Attempt{Next: wire, Timeout: cfg.attemptTimeout}
	if cfg.logger != nil {
		wire = &transport.Log{Next: wire, Logger: cfg.logger, Path: p.relative, Clean: p.logText}
	}
	bearer := &transport.Bearer{Next: wire, Token: p.token}
	places := &transport.Places{Lanes: cfg.limiter == nil} // an application's limiter has none
	calls := &transport.Limit{Next: bearer, Wait: p.wait, Observe: p.observe, Prepare: bearer.Prepare, Places: places}
	tokens := &transport.Limit{Next: bearer, Wait: p.wait, Observe: p.observe, Places: places}

	p.calls = retryStage(cfg.retry, &transport.Auth{Next: calls, Invalidate: p.tokenCache.Invalidate})
	p.tokens = retryStage(tokenRetry(cfg.retry), tokens)
	return nil
}

// tokenRetry is the policy of token requests. It does not wait long, because only
// the calls that wait for the token know their deadlines.
func tokenRetry(policy RetryPolicy) RetryPolicy {
	policy.MaxRetries = min(policy.MaxRetries, maxTokenRetries)
	policy.MaxRetryAfter = min(policy.MaxRetryAfter, policy.MaxWait)
	return policy
}

func retryStage(policy RetryPolicy, next http.RoundTripper) transport.Retry {
	return transport.Retry{
		Policy: transport.Policy(policy),
		Next:   &http.Client{Transport: next, CheckRedirect: transport.NoRedirects},
	}
}

// RateLimit returns the quota as the server reports it. Remaining is what may
// still be sent now: the requests in flight have been subtracted. Reset is by the
// server's clock. Before the first report it returns the zero value.
func (c *Client) RateLimit() RateLimit { return RateLimit(c.pipeline.limiter.Quota()) }

// Format writes only the base URL, whatever the verb.
func (c Client) Format(f fmt.State, _ rune) {
	if c.pipeline == nil {
		writeShown(f, "mid.Client", hidden())
		return
	}
	_, _ = fmt.Fprintf(f, "mid.Client{%s}", c.pipeline.base)
}

// Call sends a request to an endpoint that the SDK does not know yet. It works as
// the typed methods do, with the token, retries, pacing and errors. path is
// relative to the base URL and may carry a query. in is sent as JSON; if nil, no
// body is sent. out is a pointer that gets the envelope's data; if nil, the data
// is dropped.
//
// An answer that is not a success is an [*APIError], or a [*RateLimitError] for
// the rate limit. A path that leads to another host or above the base URL is a
// [*ValidationError]. If no answer came, the error is a [net.Error] that wraps the
// network's, such as a [*net.OpError], or ctx's. The texts in the body are taken
// out of error texts, because they may be personal data.
func (c *Client) Call(ctx context.Context, method, path string, in, out any, opts ...RequestOption) error {
	cfg, err := newRequestConfig(opts)
	if err != nil {
		return err
	}
	r := request{operation: operation{name: "call", method: method}}
	if r.path, r.query, err = splitPath(path); err != nil {
		return err
	}
	// Methods are case-sensitive: a "post" would be sent without an
	// Idempotency-Key.
	if !isToken(method) || strings.ToUpper(method) != method {
		return invalid("method", "must be an HTTP method in upper case, like GET")
	}
	if in != nil {
		body, err := jsonBody(in)
		if err != nil {
			return err
		}
		r.json, r.params = body, jsonTexts(body)
	}
	if out == nil {
		return c.pipeline.do(ctx, new(transport.Call), r, nil, cfg)
	}
	if v := reflect.ValueOf(out); v.Kind() != reflect.Pointer || v.IsNil() {
		return invalid("out", "must be a pointer that is not nil, or nil itself")
	}
	return c.pipeline.do(ctx, new(transport.Call), r, &ownAnswer{out: out}, cfg)
}
