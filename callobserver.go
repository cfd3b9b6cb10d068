package mid

import (
	"context"
	"errors"
	"slices"
)

// callObservers are what [WithCallObserver] has been given, the outermost first.
type callObservers []func(context.Context, Operation) (context.Context, func(error))

// begin has all of them begin. It returns the context that the call goes on with,
// and what ends them, in the opposite order.
func (o callObservers) begin(ctx context.Context, op Operation) (_ context.Context, end func(error)) {
	ends := make([]func(error), 0, len(o))
	for _, begin := range o {
		inner, end := begin(ctx, op)
		if inner != nil {
			ctx = inner
		}
		if end != nil {
			ends = append(ends, end)
		}
	}
	return ctx, func(err error) {
		for _, end := range slices.Backward(ends) {
			end(err)
		}
	}
}

// errPanicked is what observers get if the application's part of a call panics,
// such as its middleware.
var errPanicked = errors.New("mid: the call panicked")
