package mid

import (
	"context"
	"errors"
	"iter"
	"math/rand/v2"
	"time"
)

// PollOptions say how often the Wait… and Watch… methods look. The zero value
// is right for most uses: each look is a request of the quota, and a wait of a
// minute takes about 17 of them. An event that arrives at the client's webhooks
// wakes the waits of its resource at once, see [Notifier]; a client that
// receives all its events may look less often.
type PollOptions struct {
	// MinInterval is the pause after the first look, MaxInterval the longest;
	// in between they grow by half each time, with some jitter. Zero: one
	// second and five seconds. A MinInterval above MaxInterval raises it.
	MinInterval, MaxInterval time.Duration
}

const (
	defaultMinInterval = time.Second
	defaultMaxInterval = 5 * time.Second
)

func (o PollOptions) withDefaults() (PollOptions, error) {
	if o.MinInterval < 0 || o.MaxInterval < 0 {
		return o, invalid("PollOptions", "takes no negative interval")
	}
	if o.MinInterval == 0 {
		o.MinInterval = defaultMinInterval
		if o.MaxInterval > 0 {
			o.MinInterval = min(o.MinInterval, o.MaxInterval)
		}
	}
	if o.MaxInterval == 0 {
		o.MaxInterval = defaultMaxInterval
	}
	o.MaxInterval = max(o.MaxInterval, o.MinInterval)
	return o, nil
}

// poller looks at a resource until its state is final.
type poller[T any] struct {
	id       string
	notifier Notifier
	get      func(ctx context.Context, opts ...RequestOption) (*T, error)
	state    func(*T) string    // changes when the caller is to be told
	final    func(*T) bool      // whether it can change no more
	expires  func(*T) time.Time // by the server's clock; the zero time: never
}

// pauseResult is why a pause is over.
type pauseResult int

const (
	pauseOver  pauseResult = iota // its time has passed
	pauseWoken                    // an event arrived
	pauseDeaf                     // the notifier has closed its channel
	pauseEnded                    // ctx has ended
)

func (p poller[T]) wait(ctx context.Context, opts PollOptions) (*T, error) {
	return p.run(ctx, opts, func(*T) bool { return true })
}

func (p poller[T]) watch(ctx context.Context, opts PollOptions) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		stopped := false
		_, err := p.run(ctx, opts, func(v *T) bool {
			stopped = !yield(v, nil)
			return !stopped
		})
		if err != nil && !stopped {
			yield(nil, err)
		}
	}
}

// run calls visit with the first state and every change, until visit returns
// false, and returns the latest state. A failure that may pass is an error
// only if it is the last thing seen.
func (p poller[T]) run(ctx context.Context, opts PollOptions, visit func(*T) bool) (*T, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	if ctx == nil {
		return nil, errNoContext
	}
	subscription, unsubscribe := context.WithCancel(ctx)
	defer unsubscribe()
	// Before the first look, or an event that comes in between is missed.
	wake := p.notifier.Subscribe(subscription, p.id)
	var (
		seen     *T
		expiry   time.Time // on the local clock; the zero time: none known
		failure  error
		interval = opts.MinInterval
	)
	for {
		last := !expiry.IsZero() && !time.Now().Before(expiry)
		var r Response
		v, err := p.get(ctx, WithResponse(&r))
		switch {
		case ctx.Err() != nil && err != nil:
			return nil, ended(ctx, lastFailure(ctx, failure, err))
		case err != nil && (permanent(err) || last):
			return nil, err
		case err != nil:
			failure = err
		default:
			failure = nil
			if changed := seen == nil || p.state(v) != p.state(seen); changed && !visit(v) {
				return v, nil
			}
			seen = v
			if p.final(v) || last {
				return v, nil
			}
			expiry = localExpiry(p.expires(v), &r)
		}
		switch p.pause(ctx, wake, pauseFor(interval, failure), expiry) {
		case pauseEnded:
			return nil, ended(ctx, failure)
		case pauseOver:
			interval = min(interval+interval/2, opts.MaxInterval)
		case pauseWoken:
			interval = opts.MinInterval
		case pauseDeaf:
			wake = nil // it would wake for ever
		}
	}
}

// pause waits for the next look: for d, but not beyond the expiry, and not once
// woken.
func (p poller[T]) pause(ctx context.Context, wake <-chan struct{}, d time.Duration, expiry time.Time) pauseResult {
	if !expiry.IsZero() {
		d = min(d, max(time.Until(expiry), 0))
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return pauseEnded
	case <-timer.C:
		return pauseOver
	case _, open := <-wake:
		if !open {
			return pauseDeaf
		}
		return pauseWoken
	}
}

// pauseFor spreads an interval by up to a quarter, so that pollers that began
// together do not stay together, and honours what a failure asks to wait.
func pauseFor(interval time.Duration, failure error) time.Duration {
	d := interval - rand.N(interval/4+1)
	if e, ok := errors.AsType[*RateLimitError](failure); ok {
		return max(d, e.RetryAfter)
	}
	if e, ok := errors.AsType[*APIError](failure); ok {
		return max(d, e.RetryAfter)
	}
	return d
}

// localExpiry moves an expiry to the local clock, by the server's time in the
// answer that told it.
func localExpiry(expires time.Time, r *Response) time.Time {
	if expires.IsZero() {
		return time.Time{}
	}
	return time.Now().Add(expires.Sub(r.serverTime()))
}

// lastFailure is what the wait has to tell of its looks when ctx ended during
// the last one, which failed with err: that, unless it tells of ctx's end only.
func lastFailure(ctx context.Context, before, err error) error {
	if _, answered := errors.AsType[*APIError](err); answered || !errors.Is(err, ctx.Err()) {
		return err
	}
	return before
}

// ended is the error of a wait that ctx ended, with the last failure that the
// wait had let pass.
func ended(ctx context.Context, failure error) error {
	e := &sendError{text: "mid: the wait ended: " + ctx.Err().Error(), causes: []error{ctx.Err()}}
	if failure != nil {
		e.text += "; the last look: " + failure.Error()
		e.causes = append(e.causes, failure)
	}
	return e
}
