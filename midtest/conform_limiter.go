package midtest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/mobid-io/mid-go"
)

// TestLimiter checks that a Limiter keeps the promises of its documentation.
// newLimiter is called for each subtest and returns a limiter with a quota of its
// own, of which nothing has been used: it lets 100 requests go within a second.
// What it opens it closes with t.Cleanup.
func TestLimiter(t *testing.T, newLimiter func(*testing.T) mid.Limiter) {
	t.Helper()
	begin := func(t *testing.T) limiterTest { return limiterTest{t, newLimiter(t)} }
	conform(t, begin, []promise[limiterTest]{
		{"requests go while there is quota", limiterTest.requestsGo},
		{"a 429 pauses all callers", limiterTest.pause},
		{"Remaining 0 holds until Reset", limiterTest.holdUntilReset},
		{"requests go after Reset whatever was reported", limiterTest.silence},
		{"a request that was not sent gives its place back", limiterTest.notSent},
		{"Wait returns when its ctx ends", limiterTest.contextEnds},
		{"Wait returns an error when its ctx has ended", limiterTest.contextHasEnded},
		{"a wait that cannot end in time fails at once", limiterTest.tooLong},
	})
}

type limiterTest struct {
	*testing.T
	limiter mid.Limiter
}

const (
	// shortPause is one that is waited for.
	shortPause = time.Second
	// early is how much a pause may be cut short by rounding.
	early = 50 * time.Millisecond
)

// longPause is one that is not waited for.
func longPause() time.Duration { return 3 * patience }

// request waits for the turn of a request, and says why it must come.
func (t limiterTest) request(outcome mid.RequestOutcome, why string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(lasting(t.T), patience)
	defer cancel()
	if err := t.limiter.Wait(ctx); err != nil {
		t.Fatalf("Wait returned the error %q, but %s", err, why)
	}
	t.observe(outcome)
}

func (t limiterTest) observe(outcome mid.RequestOutcome) {
	t.Helper()
	promptly(t.T, "Observe has not returned, but it must not block", func() { t.limiter.Observe(outcome) })
}

const quotaIsLeft = "there is quota left"

func left(remaining int, reset time.Duration) mid.RateLimit {
	return mid.RateLimit{Limit: 1000, Remaining: remaining, Reset: time.Now().Add(reset)}
}

func (t limiterTest) requestsGo() {
	t.request(mid.RequestOutcome{Sent: true, RateLimit: left(1000, time.Minute)}, quotaIsLeft)
	const callers, each = 20, 4
	report(t.T, together(t.T, callers, "Wait has not returned to all callers, but there is quota left", func(int) error {
		for range each {
			if err := t.limiter.Wait(lasting(t.T)); err != nil {
				return fmt.Errorf("there is quota left, but Wait returned the error %w", err)
			}
			t.limiter.Observe(mid.RequestOutcome{Sent: true})
		}
		return nil
	}))
}

func (t limiterTest) pause() {
	paused := time.Now()
	t.request(mid.RequestOutcome{Sent: true, RetryAfter: shortPause}, quotaIsLeft)
	t.held(paused, "a 429 asked for a pause")
}

func (t limiterTest) holdUntilReset() {
	reported := time.Now()
	t.request(mid.RequestOutcome{Sent: true, RateLimit: left(0, shortPause)}, quotaIsLeft)
	t.held(reported, "nothing was left until Reset")
}

// held checks that nothing goes for a shortPause, and everything after it.
func (t limiterTest) held(since time.Time, why string) {
	t.Helper()
	report(t.T, together(t.T, 5, "Wait has not returned to all callers, but the pause is over", func(int) error {
		if err := t.limiter.Wait(lasting(t.T)); err != nil {
			return fmt.Errorf("a pause of %v can be waited for, but Wait returned the error %w", shortPause, err)
		}
		waited := time.Since(since)
		t.limiter.Observe(mid.RequestOutcome{Sent: true})
		if waited < shortPause-early {
			return fmt.Errorf("%s of %v for all callers, but Wait let a request go after %v", why, shortPause, waited.Round(time.Millisecond))
		}
		return nil
	}))
}

func (t limiterTest) silence() {
	t.request(mid.RequestOutcome{Sent: true, RateLimit: left(3, shortPause)}, quotaIsLeft)
	for range 10 {
		t.request(mid.RequestOutcome{Sent: true}, "the quota is new after Reset, and answers that report nothing hold no request back for ever")
	}
}

// notSent has one place left, which a request takes that does not leave.
func (t limiterTest) notSent() {
	t.request(mid.RequestOutcome{Sent: true, RateLimit: left(1, longPause())}, quotaIsLeft)
	t.request(mid.RequestOutcome{Sent: false}, "one request is left")
	t.request(mid.RequestOutcome{Sent: true, RateLimit: left(0, longPause())}, "the place of a request that was not sent is free again")
}

func (t limiterTest) contextEnds() {
	t.request(mid.RequestOutcome{Sent: true, RetryAfter: longPause()}, quotaIsLeft)
	ctx, end := context.WithCancel(lasting(t.T))
	defer end()
	stop := time.AfterFunc(early, end)
	defer stop.Stop()
	var err error
	promptly(t.T, "Wait has not returned when its ctx ended", func() { err = t.limiter.Wait(ctx) })
	if err == nil {
		t.Errorf("Wait returned no error, but a 429 asked for a pause of %v", longPause())
	}
}

func (t limiterTest) contextHasEnded() {
	ctx, end := context.WithCancel(lasting(t.T))
	end()
	var err error
	promptly(t.T, "Wait has not returned, but its ctx has ended", func() { err = t.limiter.Wait(ctx) })
	if err == nil {
		t.limiter.Observe(mid.RequestOutcome{})
		t.Errorf("Wait returned no error, but its ctx has ended")
	}
}

func (t limiterTest) tooLong() {
	t.request(mid.RequestOutcome{Sent: true, RetryAfter: longPause()}, quotaIsLeft)
	ctx, cancel := context.WithTimeout(lasting(t.T), longPause()-patience/2)
	defer cancel()
	var err error
	promptly(t.T, "Wait has not returned, but a wait that can't end before the deadline of its ctx fails at once", func() {
		err = t.limiter.Wait(ctx)
	})
	if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, mid.ErrRateLimited) {
		t.Errorf("Wait returned %s for a pause past the deadline of its ctx, want one that matches context.DeadlineExceeded or ErrRateLimited", shown(err))
	}
}
