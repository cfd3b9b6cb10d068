package midtest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mobid-io/mid-go"
)

// TestEventStore checks that an EventStore keeps the promises of its
// documentation. newStore is called for each subtest. It may return the same
// store again or a new one on the same database: the ids of events are unique.
// What it opens it closes with t.Cleanup.
//
// The test takes a few seconds, because leases pass in real time.
func TestEventStore(t *testing.T, newStore func(*testing.T) mid.EventStore) {
	t.Helper()
	begin := func(t *testing.T) storeTest { return storeTest{claimant{t, newStore(t), unique("evt_")}} }
	conform(t, begin, []promise[storeTest]{
		{"one claim of an event at a time", storeTest.oneAtATime},
		{"one of many claims wins", storeTest.oneOfMany},
		{"Done is remembered", storeTest.doneIsRemembered},
		{"Release after Done does nothing", storeTest.releaseAfterDone},
		{"Release settles its own claim only", storeTest.releaseSettlesItsOwn},
		{"Done after Release marks nothing", storeTest.doneAfterRelease},
		{"a claim lapses with its lease", storeTest.claimLapses},
		{"a lapsed claim settles nothing", storeTest.lapsedSettlesNothing},
		{"Context is usable until Done", storeTest.contextIsUsable},
		{"Done is true after the request has ended", storeTest.doneIsTrue},
		{"Claim returns when its ctx has ended", storeTest.endedContext},
		{"an id is any string", storeTest.anyID},
		{"ids are kept apart", storeTest.idsAreApart},
	})
}

type storeTest struct{ claimant }

func (t storeTest) oneAtATime() {
	first := t.claim()
	t.refused(mid.ErrEventInHand, "a claim of the event lives, and if its holder dies the event must be delivered again")
	if err := t.settle(first.Release); err != nil {
		t.Fatalf("Release of a claim that lives returned the error %q", err)
	}
	second := t.free(t.id, longLease, "the event was released, and the next delivery may claim it")
	t.refused(mid.ErrEventInHand, "a second claim of the event lives")
	t.done(second)
	t.refused(mid.ErrEventHandled, "the event is handled after Done")
}

func (t storeTest) oneOfMany() {
	const rounds, callers = 5, 16
	for range rounds {
		t.id = unique("evt_")
		claims := make([]mid.EventClaim, callers)
		failures := together(t.T, callers, claimWaits, func(i int) (err error) {
			claims[i], err = t.store.Claim(lasting(t.T), t.id, longLease)
			return err
		})
		var won []mid.EventClaim
		for i, err := range failures {
			if err == nil {
				won = append(won, claims[i])
			} else if !errors.Is(err, mid.ErrEventInHand) {
				t.Errorf("Claim returned the error %q to one of %d callers at a time, want %q", err, callers, mid.ErrEventInHand)
			}
		}
		if len(won) != 1 {
			t.Fatalf("%d of %d callers at a time got the claim of one event, want 1", len(won), callers)
		}
		t.done(won[0])
		t.refused(mid.ErrEventHandled, "the one that won has handled the event")
	}
}

// doneIsRemembered tries again with a longer lease if the store or the machine
// was too slow to settle the claim in time.
func (t storeTest) doneIsRemembered() {
	for lease := shortLease; ; lease *= 2 {
		t.id = unique("evt_")
		claim := t.free(t.id, lease, "an event that was not claimed before is free")
		err := t.settle(claim.Done)
		if errors.Is(err, mid.ErrClaimLost) && lease < patience {
			continue
		}
		if err != nil {
			t.Fatalf("Done of a claim that lives returned the error %q", err)
		}
		t.refused(mid.ErrEventHandled, "the event is handled after Done")
		time.Sleep(2 * lease)
		t.refused(mid.ErrEventHandled, "an event stays handled when the lease of its claim has passed")
		return
	}
}

func (t storeTest) releaseAfterDone() {
	claim := t.claim()
	t.done(claim)
	t.release(claim, "after Done")
	t.refused(mid.ErrEventHandled, "Release does nothing after Done")
}

func (t storeTest) releaseSettlesItsOwn() {
	first := t.claim()
	t.release(first, "but let the next delivery claim the event")
	t.release(first, "when it is called once more")
	second := t.free(t.id, longLease, "the event was released")
	t.release(first, "when it is called once more")
	t.refused(mid.ErrEventInHand, "Release settles its own claim and not its successor's")
	t.done(second)
	t.release(first, "when it is called once more")
	t.refused(mid.ErrEventHandled, "Release settles its own claim and not its successor's")
}

func (t storeTest) doneAfterRelease() {
	first := t.claim()
	t.release(first, "but let the next delivery claim the event")
	if t.settle(first.Done) == nil {
		t.Errorf("Done after Release returned no error, but the claim is given back")
	}
	second := t.free(t.id, longLease, "Done after Release marks nothing")
	if t.settle(first.Done) == nil {
		t.Errorf("Done after Release returned no error, but the claim is another's")
	}
	t.refused(mid.ErrEventInHand, "Done after Release settles no other's claim")
	t.done(second)
}

func (t storeTest) claimLapses() {
	begun := time.Now()
	t.free(t.id, shortLease, "an event that was not claimed before is free")
	var err error
	lapsed := eventually(func() bool {
		_, err = t.try(lasting(t.T), t.id, longLease)
		return err == nil
	})
	switch held := time.Since(begun); {
	case !lapsed:
		t.Fatalf("Claim still returns %s %v after a claim with a lease of %v, but a claim whose holder died ends with its lease",
			shown(err), held.Round(time.Millisecond), shortLease)
	case held < shortLease*9/10: // a store may round it
		t.Fatalf("an event was claimed again after %v, but it is in hand until the lease of %v has passed", held, shortLease)
	}
}

func (t storeTest) lapsedSettlesNothing() {
	lapsed := t.free(t.id, shortLease, "an event that was not claimed before is free")
	time.Sleep(2 * shortLease)
	t.lost(lapsed)
	successor := t.free(t.id, longLease, "a claim that has lapsed marks nothing, and the next delivery gets the event")
	t.lost(lapsed)
	t.refused(mid.ErrEventInHand, "Done of a lapsed claim leaves its successor's untouched")
	t.release(lapsed, "when the lease has passed")
	t.refused(mid.ErrEventInHand, "Release of a lapsed claim leaves its successor's untouched")
	t.done(successor)
	t.release(lapsed, "when the lease has passed")
	t.refused(mid.ErrEventHandled, "Release of a lapsed claim leaves what its successor marked")
}

func (t storeTest) lost(lapsed mid.EventClaim) {
	t.Helper()
	if err := t.settle(lapsed.Done); !errors.Is(err, mid.ErrClaimLost) {
		t.Errorf("Done returned %s after the lease had passed, want %q: another may have the event in hand", shown(err), mid.ErrClaimLost)
	}
}

type contextKey struct{}

func (t storeTest) contextIsUsable() {
	claim := t.claim()
	request, end := context.WithCancel(context.WithValue(lasting(t.T), contextKey{}, "a value"))
	defer end()
	ctx, err := claim.Context(request)
	switch {
	case err != nil:
		t.Fatalf("Context of a claim that lives returned the error %q", err)
	case ctx == nil:
		t.Fatalf("Context returned nil, but it returns ctx or a child of it")
	case ctx.Value(contextKey{}) != "a value":
		t.Errorf("what Context returned lacks the values of ctx, but it is ctx or a child of it")
	case ctx.Err() != nil:
		t.Fatalf("what Context returned has ended with %q before Done", ctx.Err())
	}
	t.done(claim)
	end()
	if !arrives(ctx.Done()) {
		t.Errorf("what Context returned has not ended with ctx, but it is ctx or a child of it")
	}
}

// doneIsTrue allows both answers: a transaction that began with the request may
// have ended with it.
func (t storeTest) doneIsTrue() {
	claim := t.claim()
	request, end := context.WithCancel(lasting(t.T))
	if _, err := claim.Context(request); err != nil {
		t.Fatalf("Context of a claim that lives returned the error %q", err)
	}
	end()
	if err := t.settle(claim.Done); err == nil {
		t.refused(mid.ErrEventHandled, "Done returned no error")
		return
	}
	t.release(claim, "but let the next delivery claim the event")
	t.free(t.id, longLease, "Done returned an error and the claim was released")
}

func (t storeTest) endedContext() {
	ended, end := context.WithCancel(lasting(t.T))
	end()
	claim, err := t.try(ended, t.id, shortLease)
	if err == nil {
		_ = t.settle(claim.Release)
	}
	if !eventually(func() bool { _, err = t.try(lasting(t.T), t.id, longLease); return err == nil }) {
		t.Fatalf("Claim still returns %s when the lease of a claim with an ended ctx has passed", shown(err))
	}
}

func (t storeTest) anyID() {
	for _, id := range []string{
		"a b\tc\n", `"'` + "`" + `\%_;--`, "../{}[]*?$1:0", "Zoë 李 🔑", strings.Repeat("long", 125),
	} {
		t.id = id + unique("")
		claim := t.free(t.id, longLease, "an id is any string but the empty one")
		t.refused(mid.ErrEventInHand, "a claim of the event lives, whatever its id")
		t.done(claim)
		t.refused(mid.ErrEventHandled, "the event is handled after Done, whatever its id")
	}
}

func (t storeTest) idsAreApart() {
	base := unique("evt_") + "a"
	long := strings.Repeat("long", 120) + base
	ids := []string{base, strings.ToUpper(base), base + " ", " " + base, base + "a", base[1:], base + "é", base + "e\u0301", long, long + "2"}
	for i, id := range ids {
		if slices.Contains(ids[:i], id) {
			continue
		}
		t.done(t.free(id, longLease, "it is another event than those with a similar id, which were handled"))
	}
}
