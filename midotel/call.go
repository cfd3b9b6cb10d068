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

// call counts the wire sends of one call. It is atomic because an attempt that was
// left behind may still count.
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

// noteSend counts a wire send for its call. A token request runs in the context of the
// first call that needed the token. It is not counted for that call.
func noteSend(ctx context.Context, op mid.Operation, queued time.Duration) {
	c, ok := ctx.Value(callKey{}).(*call)
	if !ok || c.operation != op.Name {
		return
	}
	for {
		latest := c.attempts.Load()
		if int64(op.Attempt) <= latest {
			return // a later one is counted, or middleware has sent this one again
		}
		if c.attempts.CompareAndSwap(latest, int64(op.Attempt)) {
			c.queued.Add(int64(queued))
			return
		}
	}
}

// fail marks a span as failed if err is not nil. The error's text is not recorded,
// because part of it may come from a server.
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
