package consumer

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"log/slog"
	"net/http"
	"time"

	"golang.org/x/oauth2"

	"github.com/mobid-io/mid-go"
)

const (
	_ string = mid.ProductionURL
	_ string = mid.SandboxURL
	_ string = mid.Version
)

var (
	_ func(string, string, ...mid.Option) (*mid.Client, error) = mid.NewClient
	_ func(...mid.Option) (*mid.Client, error)                 = mid.NewClientFromEnv

	_ func(*mid.Client) mid.RateLimit                                                          = (*mid.Client).RateLimit
	_ func(*mid.Client, context.Context, string, string, any, any, ...mid.RequestOption) error = (*mid.Client).Call
	_ fmt.Formatter                                                                            = mid.Client{}
	_                                                                                          = mid.Client{
		Authentication: (*mid.AuthenticationService)(nil),
		Identity:       (*mid.IdentityService)(nil),
		Signing:        (*mid.SigningService)(nil),
		Webhooks:       (*mid.WebhookService)(nil),
	}
)

// Options.
var (
	_ func(string) mid.Option                                                              = mid.WithBaseURL
	_ func() mid.Option                                                                    = mid.WithSandbox
	_ func(*http.Client) mid.Option                                                        = mid.WithHTTPClient
	_ func(tls.Certificate) mid.Option                                                     = mid.WithClientCertificate
	_ func(func(*tls.CertificateRequestInfo) (*tls.Certificate, error)) mid.Option         = mid.WithClientCertificateFunc
	_ func(func(context.Context) (clientID, clientSecret string, err error)) mid.Option    = mid.WithCredentialsFunc
	_ func(mid.TokenSource) mid.Option                                                     = mid.WithTokenSource
	_ func(mid.TokenCache) mid.Option                                                      = mid.WithTokenCache
	_ func(func(mid.TokenCache) mid.TokenCache) mid.Option                                 = mid.WithTokenCacheMiddleware
	_ func(mid.FieldNames) mid.Option                                                      = mid.WithFieldNames
	_ func(mid.Plan) mid.Option                                                            = mid.WithPlan
	_ func(mid.Limiter) mid.Option                                                         = mid.WithLimiter
	_ func(mid.RetryPolicy) mid.Option                                                     = mid.WithRetry
	_ func(time.Duration) mid.Option                                                       = mid.WithAttemptTimeout
	_ func(*slog.Logger) mid.Option                                                        = mid.WithLogger
	_ func(string, string) mid.Option                                                      = mid.WithAppInfo
	_ func(func(http.RoundTripper) http.RoundTripper) mid.Option                           = mid.WithMiddleware
	_ func(func(context.Context, mid.Operation) (context.Context, func(error))) mid.Option = mid.WithCallObserver
	_ func(mid.WebhookConfig) mid.Option                                                   = mid.WithWebhooks
	_ func() mid.RetryPolicy                                                               = mid.DefaultRetryPolicy
	_ func(oauth2.TokenSource) mid.TokenSource                                             = mid.OAuth2TokenSource
	_                                                                                      = mid.RetryPolicy{MaxRetries: int(0), MinWait: time.Duration(0), MaxWait: time.Duration(0), MaxRetryAfter: time.Duration(0)}

	_ func(string) mid.RequestOption         = mid.WithIdempotencyKey
	_ func(string, string) mid.RequestOption = mid.WithHeader
	_ func(*mid.Response) mid.RequestOption  = mid.WithResponse
	_ func() mid.RequestOption               = mid.WithoutRetry
	_                                        = mid.Response{
		StatusCode: int(0),
		Header:     http.Header(nil),
		RequestID:  string(""),
		Timestamp:  time.Time{},
		RateLimit:  mid.RateLimit{},
		Attempts:   int(0),
		Data:       json.RawMessage(nil),
	}
)

// Interfaces that consumers implement. One more method would break them.
type (
	tokenSource struct{}
	tokenCache  struct{}
	limiter     struct{}
	eventStore  struct{}
	eventClaim  struct{}
	notifier    struct{}
)

func (tokenSource) Token(context.Context) (*oauth2.Token, error) { return nil, nil }

func (tokenCache) Token(context.Context, func(context.Context) (*oauth2.Token, error)) (*oauth2.Token, error) {
	return nil, nil
}
func (tokenCache) Invalidate(context.Context, *oauth2.Token) error { return nil }

func (limiter) Wait(context.Context) error { return nil }
func (limiter) Observe(mid.RequestOutcome) {}

func (eventStore) Claim(context.Context, string, time.Duration) (mid.EventClaim, error) {
	return eventClaim{}, nil
}

func (eventClaim) Context(ctx context.Context) (context.Context, error) { return ctx, nil }
func (eventClaim) Done(context.Context) error                           { return nil }
func (eventClaim) Release(context.Context) error                        { return nil }

func (notifier) Notify(context.Context, string) error              { return nil }
func (notifier) Subscribe(context.Context, string) <-chan struct{} { return nil }

var (
	_ mid.TokenSource = tokenSource{}
	_ mid.TokenCache  = tokenCache{}
	_ mid.Limiter     = limiter{}
	_ mid.EventStore  = eventStore{}
	_ mid.EventClaim  = eventClaim{}
	_ mid.Notifier    = notifier{}
)

// Interfaces that consumers call. One method less would break them.
var (
	_ func(mid.TokenSource, context.Context) (*oauth2.Token, error)                                              = mid.TokenSource.Token
	_ func() mid.TokenCache                                                                                      = mid.NewTokenCache
	_ func(mid.TokenCache, context.Context, func(context.Context) (*oauth2.Token, error)) (*oauth2.Token, error) = mid.TokenCache.Token
	_ func(mid.TokenCache, context.Context, *oauth2.Token) error                                                 = mid.TokenCache.Invalidate
	_ func(mid.Limiter, context.Context) error                                                                   = mid.Limiter.Wait
	_ func(mid.Limiter, mid.RequestOutcome)                                                                      = mid.Limiter.Observe
	_ func(mid.EventStore, context.Context, string, time.Duration) (mid.EventClaim, error)                       = mid.EventStore.Claim
	_ func(mid.EventClaim, context.Context) (context.Context, error)                                             = mid.EventClaim.Context
	_ func(mid.EventClaim, context.Context) error                                                                = mid.EventClaim.Done
	_ func(mid.EventClaim, context.Context) error                                                                = mid.EventClaim.Release
	_ func(mid.Notifier, context.Context, string) error                                                          = mid.Notifier.Notify
	_ func(mid.Notifier, context.Context, string) <-chan struct{}                                                = mid.Notifier.Subscribe
)

// What a wire send belongs to.
var (
	_                                                   = mid.Operation{Name: string(""), Path: string(""), Attempt: int(0)}
	_ func(context.Context) (op mid.Operation, ok bool) = mid.OperationFrom
	_ func(context.Context) time.Duration               = mid.QueueTime
)

// Rate limits and polling.
var (
	_ = mid.Plan{RequestsPerMinute: int(0), Burst: int(0)}
	_ = []mid.Plan{mid.PlanSandbox, mid.PlanStandard, mid.PlanStarter, mid.PlanProfessional}
	_ = mid.RateLimit{Limit: int(0), Remaining: int(0), Reset: time.Time{}}
	_ = mid.RequestOutcome{Sent: bool(true), RateLimit: mid.RateLimit{}, RetryAfter: time.Duration(0)}
	_ = mid.PollOptions{MinInterval: time.Duration(0), MaxInterval: time.Duration(0)}
)

// Files.
var (
	_ = mid.File{
		Name:        string(""),
		ContentType: string(""),
		Size:        int64(0),
		Open:        (func() (io.ReadCloser, error))(nil),
	}
	_ func(string) (mid.File, error)        = mid.FileFromPath
	_ func(string, []byte) mid.File         = mid.FileFromBytes
	_ func(string, io.Reader) mid.File      = mid.FileFromReader
	_ func(fs.FS, string) (mid.File, error) = mid.FileFromFS
)

// Method shapes that all services share.
type (
	create[S, P, R any] = func(S, context.Context, P, ...mid.RequestOption) (*R, error)
	get[S, R any]       = func(S, context.Context, string, ...mid.RequestOption) (*R, error)
	wait[S, R any]      = func(S, context.Context, string, mid.PollOptions) (*R, error)
	watch[S, R any]     = func(S, context.Context, string, mid.PollOptions) iter.Seq2[*R, error]
)
