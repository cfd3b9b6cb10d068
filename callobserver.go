package mid

import (
	"context"
	"errors"
)

// callObservers are what [WithCallObserver] has been given, the outermost first.
type callObservers []func(context.Context, Operation) (context.Context, func(error))

// begin has all of them begin. It returns the context that the call goes on with,
// and what ends them, in the opposite order.
func (o callObservers) begin(ctx context.Context, op Operation) (_ context.Context, end func(error)) {
	if len(o) == 0 {
		return ctx, func(error) {}
	}
	outer, endOuter := o[0](ctx, op)
	if outer == nil {
		outer = ctx
	}
	inner, endInner := o[1:].begin(outer, op)
	return inner, func(err error) {
		endInner(err)
		if endOuter != nil {
			endOuter(err)
		}
	}
}

// errPanicked is what observers get if the application's part of a call panics,
// such as its middleware.
var errPanicked = errors.New("mid: the call panicked")
