package mid

import (
	"context"
	"errors"
)

// callObservers are what [WithCallObserver] has been given, the outermost first.
type callObservers []func(context.Context, Operation) (context.Context, func(error))

// begin starts all observers. It returns the context of the call, and a function that
// ends them in reverse order. If one panics, the others that have begun still end.
func (o callObservers) begin(ctx context.Context, op Operation) (_ context.Context, end func(error)) {
	if len(o) == 0 {
		return ctx, func(error) {}
	}
	outer, endOuter := o[0](ctx, op)
	if outer == nil {
		outer = ctx
	}
	if endOuter == nil {
		return o[1:].begin(outer, op)
	}
	begun := false
	defer func() {
		if !begun {
			endOuter(errPanicked)
		}
	}()
	inner, endInner := o[1:].begin(outer, op)
	begun = true
	return inner, func(err error) {
		defer endOuter(err)
		endInner(err)
	}
}

// errPanicked goes to the observers if a call panics, such as in middleware.
var errPanicked = errors.New("mid: the call panicked")
