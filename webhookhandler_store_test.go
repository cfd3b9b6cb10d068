package mid_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// stumblingStore is a store of one event that fails once, in one of its
// methods, after it has done what it was asked for, or before.
type stumblingStore struct {
	claimed, done   bool
	claims, release error // the failures to come
}

func (s *stumblingStore) Claim(context.Context, string, time.Duration) (mid.EventClaim, error) {
	switch {
	case s.done:
		return nil, mid.ErrEventHandled
	case s.claimed:
		return nil, mid.ErrEventInHand
	}
	s.claimed = true
	err := s.claims
	s.claims = nil
	return s, err
}

func (*stumblingStore) Context(ctx context.Context) (context.Context, error) { return ctx, nil }

func (s *stumblingStore) Done(context.Context) error {
	s.done = true
	return nil
}

func (s *stumblingStore) Release(context.Context) error {
	if err := s.release; err != nil {
		s.release = nil
		return err
	}
	s.claimed = false
	return nil
}

// An event whose store stumbled once is handled when MID delivers it again.
func TestEventSurvivesAStoreThatStumbles(t *testing.T) {
	lost := errors.New("the answer was lost")
	for name, store := range map[string]*stumblingStore{
		"claimed, but the answer is lost": {claims: lost},
		"not released at first":           {release: lost},
	} {
		runs := 0
		h := newHooks(t, mid.WebhookConfig{Store: store}).Handler(otherHook(func(context.Context, *mid.Event) error {
			if runs++; runs == 1 && store.release != nil {
				return errors.New("a bad moment")
			}
			return nil
		}))
		payload := hookPayload("evt_1", "moon.landed", "{}")
		require.GreaterOrEqual(t, deliverHook(h, hookRequest(payload)).Code, 500, name)
		before := runs
		require.Equal(t, 204, deliverHook(h, hookRequest(payload)).Code, name)
		require.Equal(t, before+1, runs, name)
	}
}

// A store whose own function returns a *claim hands on a nil one as an interface
// that is not nil.
func TestNilPointerIsNoClaim(t *testing.T) {
	for err, want := range map[error]int{mid.ErrEventHandled: 204, mid.ErrEventInHand: 503, errors.New("down"): 503, nil: 503} {
		hooks := newHooks(t, mid.WebhookConfig{Store: claimStore(func(context.Context, string, time.Duration) (mid.EventClaim, error) {
			var none *hookStore
			return none, err
		})})
		require.Equal(t, want, handleHook(t, hooks, mid.EventHandlers{}).Status, "%v", err)
	}
}

// What is wrong with a signed event is told by the names of its fields, without
// a word of what they hold.
func TestSignedEventsThatMakeNoSense(t *testing.T) {
	hooks := newHooks(t, mid.WebhookConfig{})
	for payload, want := range map[string]string{
		`{"id":"evt_1","type":"x","data":{}}`:                     "mid: webhook event is too old or too far ahead: it has no timestamp, in Unix milliseconds",
		`{"id":"evt_1","type":"x","timestamp":true,"data":{}}`:    "mid: webhook event is too old or too far ahead: it has no timestamp, in Unix milliseconds",
		`{"id":7,"type":"x","timestamp":1767323045000,"data":{}}`: "mid: webhook event does not decode: its field id is not a JSON string",
		`["+14155550123"]`: "mid: webhook event does not decode: it is not a JSON object",
		`Sesame`:           "mid: webhook event does not decode: it is not JSON",
	} {
		_, err := hooks.ParseRequest(hookRequest([]byte(payload)))
		require.EqualError(t, err, want)
	}
}
