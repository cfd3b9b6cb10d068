package bench

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"golang.org/x/oauth2"
	"golang.org/x/time/rate"
)

var retryableContestant = Contestant{
	Name:   "retryablehttp",
	Note:   "go-retryablehttp with its defaults but without its log, which goes to stderr; otherwise as raw",
	Answer: widgetAnswer,
	Get:    retryableCall(http.MethodGet),
	Post:   retryableCall(http.MethodPost),
}

// assembledContestant is what a careful user builds of the usual parts: about
// the SDK's features, without its care. It is the fair floor.
var assembledContestant = Contestant{
	Name:    FairFloor,
	Note:    "go-retryablehttp over oauth2.Transport with ReuseTokenSource, behind a rate.Limiter without a limit, with http.Client.Timeout for each attempt and a log line like mid's for each request; webhook and otherwise as raw",
	Answer:  widgetAnswer,
	Get:     assembledCall(http.MethodGet),
	Post:    assembledCall(http.MethodPost),
	Target:  func() any { return new(widget) },
	Webhook: floorWebhook,
}

func newRetryable(env Env) *retryablehttp.Client {
	c := retryablehttp.NewClient()
	c.Logger = nil
	if env.Transport != nil {
		c.HTTPClient.Transport = env.Transport
	}
	return c
}

func retryableCall(method string) Maker {
	return func(env Env) (Op, error) {
		client := newRetryable(env)
		return func(ctx context.Context) error {
			data, err := widgetBody(method)
			if err != nil {
				return err
			}
			var body any // a nil interface if there is none
			if data != nil {
				body = data
			}
			req, err := retryablehttp.NewRequestWithContext(ctx, method, env.BaseURL+widgetPath(method), body)
			if err != nil {
				return err
			}
			req.Header.Set("Authorization", "Bearer "+token)
			req.Header.Set("Accept", "application/json")
			if data != nil {
				req.Header.Set("Content-Type", "application/json")
			}
			resp, err := client.Do(req)
			if err != nil {
				return err
			}
			return readWidget(resp)
		}, nil
	}
}

func assembledCall(method string) Maker {
	return func(env Env) (Op, error) {
		retrying := newRetryable(env)
		retrying.HTTPClient.Timeout = time.Minute
		retrying.HTTPClient.Transport = &loggedTransport{
			logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
			next: &oauth2.Transport{
				Source: oauth2.ReuseTokenSource(nil, hourToken{}),
				Base:   retrying.HTTPClient.Transport,
			},
		}
		client := retrying.StandardClient()
		limiter := rate.NewLimiter(rate.Inf, 1)
		return func(ctx context.Context) error {
			if err := limiter.Wait(ctx); err != nil {
				return err
			}
			req, err := widgetRequest(ctx, method, env.BaseURL)
			if err != nil {
				return err
			}
			resp, err := client.Do(req)
			if err != nil {
				return err
			}
			return readWidget(resp)
		}, nil
	}
}

// loggedTransport writes a line for every request, with what the SDK's has.
type loggedTransport struct {
	logger *slog.Logger
	next   http.RoundTripper
}

func (t *loggedTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	start := time.Now()
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		t.logger.WarnContext(req.Context(), "request", "method", req.Method, "path", req.URL.Path,
			"duration", time.Since(start), "error", err)
		return nil, err
	}
	t.logger.InfoContext(req.Context(), "request", "method", req.Method, "path", req.URL.Path,
		"duration", time.Since(start), "status", resp.StatusCode, "request_id", resp.Header.Get("X-Request-Id"))
	return resp, nil
}

type hourToken struct{}

func (hourToken) Token() (*oauth2.Token, error) {
	return &oauth2.Token{AccessToken: token, TokenType: "Bearer", Expiry: time.Now().Add(time.Hour)}, nil
}
