package midtest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/mobid-io/mid-go"
)

const (
	shortLease = 500 * time.Millisecond // for claims that are meant to lapse
	longLease  = time.Minute            // and for those that are not
)

const claimWaits = "Claim has not returned, but it should not wait for another's claim to end"

// claimant claims an event and settles its claims, as a delivery does.
type claimant struct {
	*testing.T
	store mid.EventStore
	id    string
}

// try claims an event, and has the claim released when the test ends.
func (t claimant) try(ctx context.Context, id string, lease time.Duration) (claim mid.EventClaim, err error) {
	t.Helper()
	promptly(t.T, claimWaits, func() {
		claim, err = t.store.Claim(ctx, id, lease)
	})
	if err != nil {
		return nil, err
	}
	if claim == nil {
		t.Fatalf("Claim returned neither a claim nor an error")
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(lasting(t.T), patience)
		defer cancel()
		_ = claim.Release(ctx)
	})
	return claim, nil
}

// free claims an event that must be free, and says why it must.
func (t claimant) free(id string, lease time.Duration, why string) mid.EventClaim {
	t.Helper()
	claim, err := t.try(lasting(t.T), id, lease)
	if err != nil {
		t.Fatalf("Claim returned the error %q, but %s", err, why)
	}
	return claim
}

// claim claims an event that is free because it has not been claimed before.
func (t claimant) claim() mid.EventClaim {
	t.Helper()
	return t.free(t.id, longLease, "an event that was not claimed before is free")
}

// refused checks that an event can't be claimed, and says why.
func (t claimant) refused(want error, why string) {
	t.Helper()
	_, err := t.try(lasting(t.T), t.id, longLease)
	if !errors.Is(err, want) {
		t.Fatalf("Claim returned %s, want %q: %s", shown(err), want, why)
	}
}

func (t claimant) done(claim mid.EventClaim) {
	t.Helper()
	if err := t.settle(claim.Done); err != nil {
		t.Fatalf("Done of a claim that lives returned the error %q", err)
	}
}

func (t claimant) release(claim mid.EventClaim, when string) {
	t.Helper()
	if err := t.settle(claim.Release); err != nil {
		t.Fatalf("Release returned the error %q, but it does nothing %s", err, when)
	}
}

func (t claimant) settle(settle func(context.Context) error) (err error) {
	t.Helper()
	promptly(t.T, "Done or Release has not returned", func() { err = settle(lasting(t.T)) })
	return err
}
