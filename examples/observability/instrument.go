package main

import (
	"context"
	"errors"
	"net/http"
	"path"
	"strings"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/mobid-io/mid-go"
)

// instrument returns a client that is traced, measured and logged.
func (t *telemetry) instrument(clientID, clientSecret string, opts ...mid.Option) (*mid.Client, error) {
	client, err := mid.NewClient(clientID, clientSecret, append(opts,
		mid.WithMiddleware(t.observed),
		mid.WithLogger(t.logger))...)
	if err != nil {
		return nil, err
	}
	// The quota is the API's most useful number: alert on it before it is 0.
	_, err = t.meter.Int64ObservableGauge("mid.rate_limit.remaining",
		metric.WithDescription("Requests left in the window, as the latest answer told it"),
		metric.WithUnit("{request}"),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			if quota := client.RateLimit(); quota.Limit > 0 {
				o.Observe(int64(quota.Remaining))
			}
			return nil
		}))
	return client, err
}

// observed makes a client span, and measures, for each request that leaves.
//
// Middleware sits below the retries, at the wire: a call that was retried once
// comes through here twice and makes two spans, one for each attempt. That is
// what OpenTelemetry asks of HTTP clients, and shows what is otherwise hidden:
// which attempt was slow, and how long the pause between them was. Their
// parent is the span in the ctx of the call; without one, every attempt would
// be a trace of its own. See call for how to give each call a span.
//
// Token requests come through here, too. They are a trace of their own: a
// token is fetched for all callers, in a context that is none of theirs.
//
// The same transport would fit into the http.Client of mid.WithHTTPClient, but
// take the place of the SDK's own there, with its TLS settings, and be in the
// way of mid.WithClientCertificate. Middleware goes around what is there.
func (t *telemetry) observed(next http.RoundTripper) http.RoundTripper {
	return otelhttp.NewTransport(next,
		otelhttp.WithTracerProvider(t.traces),
		otelhttp.WithMeterProvider(t.metrics),
		otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string {
			return r.Method + " " + route(r.URL.Path)
		}),
		// By default the global propagator would send the ids of the trace,
		// and its baggage with whatever the application has put there, to MID.
		otelhttp.WithPropagators(propagation.NewCompositeTextMapPropagator()),
	)
}

// route is the path without the ids in it: spans of the same kind need the
// same name.
func route(p string) string {
	p = strings.TrimPrefix(p, "/v1")
	switch dir, _ := path.Split(p); dir {
	case "/auth/sessions/", "/identity/verifications/", "/signing/sessions/":
		return dir + "{id}"
	}
	return p
}

// call gives one call of the SDK one span, however often it is sent: the
// parent of the attempts' spans.
func call[T any](ctx context.Context, tracer trace.Tracer, name string, do func(context.Context, mid.RequestOption) (T, error)) (T, error) {
	ctx, span := tracer.Start(ctx, "mid "+name)
	defer span.End()
	var r mid.Response // is filled after failures, too
	v, err := do(ctx, mid.WithResponse(&r))
	span.SetAttributes(
		attribute.Int("mid.attempts", r.Attempts),
		attribute.String("mid.request_id", r.RequestID)) // what MID's support asks for
	if err != nil {
		span.SetStatus(codes.Error, errorType(err))
	}
	return v, err
}

// errorType is for telemetry, where a few fixed words serve better than a text
// that differs each time, part of which came from a server.
func errorType(err error) string {
	switch apiErr, ok := errors.AsType[*mid.APIError](err); {
	case ok && apiErr.Code != "":
		return string(apiErr.Code)
	case ok:
		return http.StatusText(apiErr.StatusCode)
	case errors.Is(err, mid.ErrRateLimited):
		return "rate_limited"
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	}
	return "no_answer"
}
