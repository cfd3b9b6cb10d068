package mid

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// claimed claims an event that must be free, for a minute.
func claimed(t *testing.T, s EventStore, id string) EventClaim {
	t.Helper()
	c, err := s.Claim(t.Context(), id, time.Minute)
	require.NoError(t, err)
	return c
}

func refusedClaim(t *testing.T, s EventStore, id string, want error) {
	t.Helper()
	c, err := s.Claim(t.Context(), id, time.Minute)
	require.ErrorIs(t, err, want)
	require.Nil(t, c)
}

func TestMemoryStoreLifeOfAnEvent(t *testing.T) {
	s := newMemoryStore(10, time.Hour, time.Hour)
	first := claimed(t, s, "evt_1")
	refusedClaim(t, s, "evt_1", ErrEventInHand)
	claimed(t, s, "evt_2")
	require.NoError(t, first.Release(t.Context()))
	second := claimed(t, s, "evt_1")
	require.NoError(t, second.Done(t.Context()))
	refusedClaim(t, s, "evt_1", ErrEventHandled)
	require.NoError(t, second.Done(t.Context()))
	require.NoError(t, second.Release(t.Context()))
	refusedClaim(t, s, "evt_1", ErrEventHandled)
	require.ErrorIs(t, first.Done(t.Context()), ErrClaimLost)
}

// A claim that has lapsed settles nothing, its successor's included.
func TestMemoryStoreFencesLapsedClaims(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newMemoryStore(10, time.Hour, time.Hour)
		lapsed := claimed(t, s, "evt_1")
		time.Sleep(time.Minute - 1)
		refusedClaim(t, s, "evt_1", ErrEventInHand)
		time.Sleep(1)
		require.ErrorIs(t, lapsed.Done(t.Context()), ErrClaimLost, "even without a successor")
		successor := claimed(t, s, "evt_1")
		require.ErrorIs(t, lapsed.Done(t.Context()), ErrClaimLost)
		require.NoError(t, lapsed.Release(t.Context()))
		refusedClaim(t, s, "evt_1", ErrEventInHand)
		require.NoError(t, successor.Done(t.Context()))
		require.NoError(t, lapsed.Release(t.Context()))
		refusedClaim(t, s, "evt_1", ErrEventHandled)
	})
}

func TestMemoryStoreForgetsWithAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newMemoryStore(10, time.Hour, 2*time.Hour)
		require.NoError(t, claimed(t, s, "done").Done(t.Context()))
		time.Sleep(2*time.Hour - 1)
		refusedClaim(t, s, "done", ErrEventHandled)
		time.Sleep(1)
		claimed(t, s, "done")
		time.Sleep(time.Minute)
		claimed(t, s, "another")
		require.Len(t, s.entries, 1, "the lapsed claim is forgotten")
		require.Equal(t, 1, s.claimed.Len())
	})
}

// A full store forgets what was handled longest ago, but neither a live claim
// nor an event that MID may deliver again.
func TestMemoryStoreIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newMemoryStore(3, time.Minute, time.Hour)
		live, err := s.Claim(t.Context(), "in hand", time.Hour)
		require.NoError(t, err)
		for i := range 20 {
			time.Sleep(30 * time.Second)
			require.NoError(t, claimed(t, s, fmt.Sprint("evt_", i)).Done(t.Context()))
			require.LessOrEqual(t, len(s.entries), 3)
			require.Equal(t, len(s.entries), s.claimed.Len()+s.done.Len())
		}
		time.Sleep(30*time.Second - 1)
		refusedClaim(t, s, "evt_20", errStoreFull)
		refusedClaim(t, s, "evt_19", ErrEventHandled)
		refusedClaim(t, s, "evt_18", ErrEventHandled)
		refusedClaim(t, s, "in hand", ErrEventInHand)
		require.NoError(t, live.Done(t.Context()))
	})
}

func TestMemoryStoreRefusesWhenAllAreInHand(t *testing.T) {
	s := newMemoryStore(2, time.Minute, time.Hour)
	first := claimed(t, s, "evt_1")
	claimed(t, s, "evt_2")
	refusedClaim(t, s, "evt_3", errStoreFull)
	refusedClaim(t, s, "evt_1", ErrEventInHand)
	require.NoError(t, first.Release(t.Context()))
	claimed(t, s, "evt_3")
}

func TestMemoryStoreClaimsOnceAmongMany(t *testing.T) {
	s := newMemoryStore(memoryStoreEntries, time.Minute, memoryStoreAge)
	var won atomic.Int32
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			for i := range 100 {
				if c, err := s.Claim(t.Context(), fmt.Sprint("evt_", i), time.Minute); err == nil {
					won.Add(1)
					_ = c.Done(t.Context())
				}
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 100, won.Load())
}

// Without a Store a service remembers events for a day or, if that is longer,
// for twice its tolerance. It takes 65,536 of them in a shorter time.
func TestDefaultStoreHasTheBoundsThatAreDocumented(t *testing.T) {
	for tolerance, age := range map[time.Duration]time.Duration{0: 24 * time.Hour, 20 * time.Hour: 40 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			hooks, err := NewWebhookService(WebhookConfig{Secrets: []string{"whsec_test"}, Tolerance: tolerance})
			require.NoError(t, err)
			require.NoError(t, claimed(t, hooks.store, "evt_1").Done(t.Context()))
			time.Sleep(age - 1)
			refusedClaim(t, hooks.store, "evt_1", ErrEventHandled)
			time.Sleep(1)
			claimed(t, hooks.store, "evt_1")
		})
	}
	synctest.Test(t, func(t *testing.T) {
		hooks, err := NewWebhookService(WebhookConfig{Secrets: []string{"whsec_test"}})
		require.NoError(t, err)
		for i := range 65536 {
			require.NoError(t, claimed(t, hooks.store, fmt.Sprint("evt_", i)).Done(t.Context()))
		}
		time.Sleep(10*time.Minute - 1)
		refusedClaim(t, hooks.store, "one too many", errStoreFull)
		refusedClaim(t, hooks.store, "evt_0", ErrEventHandled)
		time.Sleep(1)
		claimed(t, hooks.store, "one more")
		claimed(t, hooks.store, "evt_0")
	})
}

func TestWebhookServiceWithoutSecrets(t *testing.T) {
	hooks, err := newWebhookService(WebhookConfig{})
	require.NoError(t, err)
	require.Empty(t, hooks.Sign([]byte("{}")))

	emptyKey := hmac.New(sha256.New, nil).Sum(nil)
	for _, signature := range []string{"", "00", hex.EncodeToString(emptyKey)} {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header.Set(SignatureHeader, signature)
		_, parseErr := hooks.Parse(nil, r.Header)
		_, requestErr := hooks.ParseRequest(r)
		for _, err := range []error{hooks.Verify(nil, signature), parseErr, requestErr} {
			require.ErrorIs(t, err, ErrInvalidSignature)
			require.ErrorContains(t, err, "no secret is configured")
		}
		w := httptest.NewRecorder()
		hooks.Handler(EventHandlers{}).ServeHTTP(w, r)
		require.Equal(t, http.StatusUnauthorized, w.Code)
	}

	for _, refused := range []WebhookConfig{{Secrets: []string{""}}, {Secrets: []string{"whsec_new", ""}}, {Tolerance: -1}, {MaxBodyBytes: -1}} {
		_, err := newWebhookService(refused)
		require.ErrorAs(t, err, new(*ValidationError))
	}
}
