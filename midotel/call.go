package midotel

import (
	"context"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/mobid-io/mid-go"
)

// call is what the wire sends of a call have counted. An attempt may be left behind
// while the next one begins.
type call struct {
	operation string
	attempts  atomic.Int64
	queued    atomic.Int64 // nanoseconds
}

type callKey struct{}

// observeCall makes the span and the metrics of a call.
func (t *Telemetry) observeCall(ctx context.Context, op mid.Operation) (context.Context, func(error)) {
	begun := time.Now()
	c := &call{operation: op.Name}
	ctx, span := t.tracer.Start(context.WithValue(ctx, callKey{}, c), op.Name,
		trace.WithAttributes(keyOperation.String(op.Name)))
	return ctx, func(err error) {
		attrs := []attribute.KeyValue{keyOperation.String(op.Name)}
		if err != nil {
			attrs = append(attrs, errorType(err))
		}
		set := metric.WithAttributeSet(attribute.NewSet(attrs...))
		t.callDuration.Record(ctx, time.Since(begun).Seconds(), set)
		t.callAttempts.Record(ctx, c.attempts.Load(), set)
		if span.IsRecording() {
			span.SetAttributes(
				keyAttempts.Int64(c.attempts.Load()),
				keyQueueTime.Float64(time.Duration(c.queued.Load()).Seconds()))
			fail(span, err)
		}
		span.End()
	}
}

// noteSend counts a wire send for its call. A token request has the context of the
// call that needed the token first, but is not that call's.
func noteSend(ctx context.Context, op mid.Operation, queued time.Duration) {
	if c, ok := ctx.Value(callKey{}).(*call); ok && c.operation == op.Name {
		c.attempts.Store(int64(op.Attempt))
		c.queued.Add(int64(queued))
	}
}

// fail marks a span as failed. The error's text is not recorded, because part of it
// may come from a server.
func fail(span trace.Span, err error) {
	if err == nil {
		return
	}
	kind := errorType(err)
	span.SetAttributes(kind)
	if id := requestID(err); id != "" {
		span.SetAttributes(keyRequestID.String(id))
	}
	span.SetStatus(codes.Error, kind.Value.AsString())
}
