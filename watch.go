package mid

import (
	"context"
	"errors"
	"iter"
	"math/rand/v2"
	"time"
)

// PollOptions say how often the Wait… and Watch… methods look. The zero value is
// right for most uses. Each look is a request that counts against the quota, and a
// wait of a minute takes about 17 of them. An event that arrives at the client's
// webhooks wakes the waits of its resource at once, see [Notifier], so a client
// that receives all its events may look less often.
type PollOptions struct {
	// MinInterval is the pause after the first look. From then on the pauses grow
	// by half each time, with some jitter, up to MaxInterval. If zero, they are one
	// second and five seconds. If MinInterval is above MaxInterval, both are
	// MinInterval.
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
	state    func(*T) string    // differs after a change that Watch… yields
	final    func(*T) bool      // reports whether it can't change any more
	expires  func(*T) time.Time // by the server's clock; the zero time if never
}

// pauseResult is why a pause is over.
type pauseResult int

const (
	pauseOver  pauseResult = iota // its time has passed
	pauseWoken                    // an event arrived
	pauseDeaf                     // the notifier has closed its channel, and wakes no more
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
	// This comes before the first look, so that no event in between is missed.
	wake := p.notifier.Subscribe(subscription, p.id)
	var (
		seen     *T
		expiry   time.Time // by the local clock; the zero time if not known
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

// pause waits for the next look. It ends after d, or earlier at the expiry or when
// it is woken.
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

// pauseFor shortens an interval by up to a quarter at random, so that pollers that
// began together do not stay together. It is never shorter than what a failure asks
// to wait.
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

// localExpiry moves an expiry to the local clock, by the server's time in the same
// answer.
func localExpiry(expires time.Time, r *Response) time.Time {
	if expires.IsZero() {
		return time.Time{}
	}
	return time.Now().Add(expires.Sub(r.serverTime()))
}

// lastFailure returns the failure to report when ctx ended during a look that
// failed with err: err, unless that says only that ctx has ended, else the failure
// before it.
func lastFailure(ctx context.Context, before, err error) error {
	if _, answered := errors.AsType[*APIError](err); answered || !errors.Is(err, ctx.Err()) {
		return err
	}
	return before
}

// ended returns the error of a wait that ctx ended, with the last failure that was
// waited out.
func ended(ctx context.Context, failure error) error {
	e := &sendError{text: "mid: the wait ended: " + ctx.Err().Error(), causes: []error{ctx.Err()}}
	if failure != nil {
		e.text += "; the last look: " + failure.Error()
		e.causes = append(e.causes, failure)
	}
	return e
}
