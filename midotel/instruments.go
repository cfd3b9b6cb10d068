package midotel

import (
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/semconv/v1.43.0/httpconv"
)

// instruments are the metrics; README.md lists them with their attributes.
type instruments struct {
	callDuration  metric.Float64Histogram
	callAttempts  metric.Int64Histogram
	wireDuration  httpconv.ClientRequestDuration
	queueDuration metric.Float64Histogram
	rateLimited   metric.Int64Counter
	remaining     metric.Int64Gauge
	tokens        metric.Int64Counter
	webhooks      metric.Float64Histogram
}

// The names of the attributes that the semantic conventions do not have.
const (
	keyOperation = attribute.Key("mid.operation")
	keyAttempts  = attribute.Key("mid.attempts")
	keyQueueTime = attribute.Key("mid.queue_time")
	keyRequestID = attribute.Key("mid.request_id")
	keyEventType = attribute.Key("mid.event.type")
)

// Boundaries of the histograms. Those of a request are the semantic conventions'. A
// call may wait for a plan's window to end, and for two minutes by default.
var (
	requestSeconds = metric.WithExplicitBucketBoundaries(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
	callSeconds    = metric.WithExplicitBucketBoundaries(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
	attempts       = metric.WithExplicitBucketBoundaries(0, 1, 2, 3, 4, 5, 10)
)

func newInstruments(m metric.Meter) (instruments, error) {
	var i instruments
	var errs [8]error
	i.callDuration, errs[0] = m.Float64Histogram("mid.client.call.duration", metric.WithUnit("s"), callSeconds,
		metric.WithDescription("Duration of a call, with its retries and its waits."))
	i.callAttempts, errs[1] = m.Int64Histogram("mid.client.call.attempts", metric.WithUnit("{attempt}"), attempts,
		metric.WithDescription("Number of times that a call was sent."))
	i.wireDuration, errs[2] = httpconv.NewClientRequestDuration(m, requestSeconds)
	i.queueDuration, errs[3] = m.Float64Histogram("mid.client.queue.duration", metric.WithUnit("s"), callSeconds,
		metric.WithDescription("Time that a request waited for its turn in the limiter's queue."))
	i.rateLimited, errs[4] = m.Int64Counter("mid.client.rate_limit.refusals", metric.WithUnit("{response}"),
		metric.WithDescription("Number of answers with status 429."))
	i.remaining, errs[5] = m.Int64Gauge("mid.client.rate_limit.remaining", metric.WithUnit("{request}"),
		metric.WithDescription("Rest of the quota, as the latest answer reported it."))
	i.tokens, errs[6] = m.Int64Counter("mid.client.token.fetches", metric.WithUnit("{fetch}"),
		metric.WithDescription("Number of access tokens that were fetched, or failed to be."))
	i.webhooks, errs[7] = m.Float64Histogram("mid.webhook.duration", metric.WithUnit("s"), requestSeconds,
		metric.WithDescription("Duration of the handling of a delivery, by its outcome."))
	return i, errors.Join(errs[:]...)
}
