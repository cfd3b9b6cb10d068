package midotel

import (
	"context"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/oauth2"

	"github.com/mobid-io/mid-go"
)

// observeTokens returns cache with a span for each fetch of a token, and its metrics.
// The span is below the call that began the fetch. It has a link to each sampled call
// that waits for the token when it arrives.
func (t *Telemetry) observeTokens(cache mid.TokenCache) mid.TokenCache {
	return &tokenCache{telemetry: t, cache: cache, asking: make(map[*asker]struct{})}
}

type tokenCache struct {
	telemetry *Telemetry
	cache     mid.TokenCache

	mu     sync.Mutex
	asking map[*asker]struct{}
}

// asker is a caller that is inside Token.
type asker struct{ span trace.SpanContext }

func (c *tokenCache) Token(ctx context.Context, fetch func(context.Context) (*oauth2.Token, error)) (*oauth2.Token, error) {
	if span := trace.SpanContextFromContext(ctx); span.IsSampled() {
		a := &asker{span}
		c.mu.Lock()
		c.asking[a] = struct{}{}
		c.mu.Unlock()
		defer func() {
			c.mu.Lock()
			delete(c.asking, a)
			c.mu.Unlock()
		}()
	}
	return c.cache.Token(ctx, func(ctx context.Context) (*oauth2.Token, error) { return c.fetch(ctx, fetch) })
}

func (c *tokenCache) fetch(ctx context.Context, fetch func(context.Context) (*oauth2.Token, error)) (token *oauth2.Token, err error) {
	inner, span := c.telemetry.tracer.Start(ctx, "token", trace.WithAttributes(keyOperation.String("token")))
	returned := false
	defer func() {
		if !returned {
			err = errNotReturned
		}
		var attrs []attribute.KeyValue
		if err != nil {
			attrs = append(attrs, errorType(err))
		}
		c.telemetry.tokens.Add(ctx, 1, metric.WithAttributes(attrs...))
		if span.IsRecording() {
			c.link(span)
			fail(span, err)
		}
		span.End()
	}()
	token, err = fetch(inner)
	returned = true
	return token, err
}

// link adds a link for each caller inside Token. An early renewal has few, because
// callers have the token that it will replace.
func (c *tokenCache) link(span trace.Span) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for a := range c.asking {
		span.AddLink(trace.Link{SpanContext: a.span})
	}
}

func (c *tokenCache) Invalidate(ctx context.Context, t *oauth2.Token) error {
	return c.cache.Invalidate(ctx, t)
}
