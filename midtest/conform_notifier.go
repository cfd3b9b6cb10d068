package midtest

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/mobid-io/mid-go"
)

// TestNotifier checks that a Notifier keeps the promises of its documentation.
// newNotifier is called for each subtest. It may return the same notifier again
// or a new one on the same network: the ids are unique. What it opens it closes
// with t.Cleanup.
func TestNotifier(t *testing.T, newNotifier func(*testing.T) mid.Notifier) {
	t.Helper()
	begin := func(t *testing.T) notifierTest { return notifierTest{t, newNotifier(t)} }
	conform(t, begin, []promise[notifierTest]{
		{"a notification reaches the subscriptions of its id", notifierTest.reachesAll},
		{"a notification wakes no other id", notifierTest.wakesNoOther},
		{"Notify needs no subscription", notifierTest.noSubscription},
		{"Subscribe does not block", notifierTest.subscribeReturns},
		{"a slow receiver holds up neither Notify nor the others", notifierTest.slowReceiver},
		{"a subscription ends with its ctx", notifierTest.endsWithContext},
		{"an ended subscription leaves no goroutine", notifierTest.leavesNothing},
	})
}

type notifierTest struct {
	*testing.T
	notifier mid.Notifier
}

// settled is how long a notification that is not meant for a subscription is
// waited for.
const settled = 100 * time.Millisecond

func (t notifierTest) notify(id string) {
	t.Helper()
	var err error
	promptly(t.T, "Notify has not returned, but it holds up a delivery", func() { err = t.notifier.Notify(lasting(t.T), id) })
	if err != nil {
		t.Fatalf("Notify returned the error %q", err)
	}
}

func (t notifierTest) subscribe(ctx context.Context, id string) (wake <-chan struct{}) {
	t.Helper()
	promptly(t.T, "Subscribe has not returned, but it must not block", func() { wake = t.notifier.Subscribe(ctx, id) })
	return wake
}

// reaches notifies until a subscription receives: one on a network may still be
// connecting.
func (t notifierTest) reaches(wake <-chan struct{}, id, broken string) {
	t.Helper()
	if !eventually(func() bool { t.notify(id); return received(wake) }) {
		t.Fatalf("%s (notified for %v)", broken, patience)
	}
	t.drain(wake)
}

// drain receives what is still on its way.
func (t notifierTest) drain(wake <-chan struct{}) {
	t.Helper()
	if !eventually(func() bool { return !received(wake) }) {
		t.Fatalf("a subscription receives again and again, but nothing notifies it")
	}
}

// received reports whether a subscription receives anything. A channel that is
// closed, or nil, wakes nothing.
func received(wake <-chan struct{}) bool {
	select {
	case _, ok := <-wake:
		return ok
	case <-time.After(settled):
		return false
	}
}

func (t notifierTest) reachesAll() {
	ctx, cancel := context.WithCancel(lasting(t.T))
	defer cancel()
	for _, id := range []string{unique("sess_"), "Zoë 李\n:*[x]" + unique("")} {
		wakes := []<-chan struct{}{t.subscribe(ctx, id), t.subscribe(ctx, id), t.subscribe(ctx, id)}
		for _, wake := range wakes {
			t.reaches(wake, id, "a subscription has not received, but each of an id receives after Notify")
		}
	}
}

func (t notifierTest) wakesNoOther() {
	ctx, cancel := context.WithCancel(lasting(t.T))
	defer cancel()
	id, other := unique("sess_"), unique("sess_")
	wake, otherWake := t.subscribe(ctx, id), t.subscribe(ctx, other)
	t.reaches(otherWake, other, "a subscription has not received, but each of an id receives after Notify")
	t.reaches(wake, id, "a subscription has not received, but each of an id receives after Notify")
	if received(otherWake) {
		t.Errorf("a subscription received the notification of another id, but Notify wakes only its own")
	}
}

func (t notifierTest) noSubscription() { t.notify(unique("sess_")) }

func (t notifierTest) subscribeReturns() {
	ctx, cancel := context.WithCancel(lasting(t.T))
	defer cancel()
	for range 20 {
		t.subscribe(ctx, unique("sess_"))
	}
	ended, end := context.WithCancel(lasting(t.T))
	end()
	t.subscribe(ended, unique("sess_"))
}

func (t notifierTest) slowReceiver() {
	ctx, cancel := context.WithCancel(lasting(t.T))
	defer cancel()
	id := unique("sess_")
	slow, quick := t.subscribe(ctx, id), t.subscribe(ctx, id)
	for range 100 { // none of which is received
		t.notify(id)
	}
	t.reaches(quick, id, "a subscription has not received, but one that does not receive holds up no other")
	t.reaches(slow, id, "a subscription that was slow has not received, but several notifications are received as one at least")
}

func (t notifierTest) endsWithContext() {
	ctx, cancel := context.WithCancel(lasting(t.T))
	defer cancel()
	id := unique("sess_")
	ends, stays := t.subscribe(ctx, id), t.subscribe(lastingUntilCleanup(t.T), id)
	t.reaches(ends, id, "a subscription has not received, but each of an id receives after Notify")
	cancel()
	if !eventually(func() bool { t.notify(id); return !received(ends) }) {
		t.Errorf("a subscription still receives, but it ends with its ctx")
	}
	t.reaches(stays, id, "a subscription has not received after another of its id ended")
}

// lastingUntilCleanup is a ctx that ends when the test has cleaned up.
func lastingUntilCleanup(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(lasting(t))
	t.Cleanup(cancel)
	return ctx
}

func (t notifierTest) leavesNothing() {
	const subscriptions = 200
	id := unique("sess_")
	first, end := context.WithCancel(lasting(t.T))
	t.reaches(t.subscribe(first, id), id, "a subscription has not received, but each of an id receives after Notify")
	end() // what serves all subscriptions runs from here on
	before := runtime.NumGoroutine()
	ctx, cancel := context.WithCancel(lasting(t.T))
	for range subscriptions {
		t.subscribe(ctx, id)
	}
	cancel()
	var more int
	ended := func() bool { more = runtime.NumGoroutine() - before; return more < subscriptions/4 }
	if !eventually(ended) {
		t.Errorf("%d goroutines are left of %d subscriptions, but a subscription ends with its ctx", more, subscriptions)
	}
}
