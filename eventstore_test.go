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

func requireClaim(t *testing.T, s EventStore, id string, want bool) {
	t.Helper()
	got, err := s.Claim(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func TestMemoryStoreLifeOfAnEvent(t *testing.T) {
	s := newMemoryStore(10, time.Hour)
	requireClaim(t, s, "evt_1", true)
	requireClaim(t, s, "evt_1", false)
	requireClaim(t, s, "evt_2", true)
	require.NoError(t, s.Release(t.Context(), "evt_1"))
	requireClaim(t, s, "evt_1", true)
	require.NoError(t, s.Done(t.Context(), "evt_1"))
	requireClaim(t, s, "evt_1", false)
	require.NoError(t, s.Done(t.Context(), "evt_1"))
	requireClaim(t, s, "evt_1", false)
}

func TestMemoryStoreUnknownIDs(t *testing.T) {
	s := newMemoryStore(10, time.Hour)
	require.NoError(t, s.Done(t.Context(), "evt_1"))
	require.NoError(t, s.Release(t.Context(), "evt_1"))
	requireClaim(t, s, "evt_1", true)
}

func TestMemoryStoreForgetsWithAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newMemoryStore(10, time.Hour)
		requireClaim(t, s, "done", true)
		requireClaim(t, s, "in progress", true)
		time.Sleep(30 * time.Minute)
		require.NoError(t, s.Done(t.Context(), "done"))
		time.Sleep(30*time.Minute - 1)
		requireClaim(t, s, "in progress", false)
		time.Sleep(1)
		requireClaim(t, s, "in progress", true)
		requireClaim(t, s, "done", false)
		time.Sleep(30 * time.Minute)
		requireClaim(t, s, "done", true)
		require.Len(t, s.entries, 2)
	})
}

func TestMemoryStoreIsBounded(t *testing.T) {
	s := newMemoryStore(3, time.Hour)
	requireClaim(t, s, "in progress", true)
	for i := range 100 {
		id := fmt.Sprint("evt_", i)
		requireClaim(t, s, id, true)
		require.NoError(t, s.Done(t.Context(), id))
		require.LessOrEqual(t, len(s.entries), 3)
		require.Equal(t, len(s.entries), s.claimed.Len()+s.done.Len())
	}
	requireClaim(t, s, "in progress", false)
	requireClaim(t, s, "evt_99", false)
	requireClaim(t, s, "evt_98", false)
	requireClaim(t, s, "evt_97", true)
}

func TestMemoryStoreRefusesWhenAllAreInProgress(t *testing.T) {
	s := newMemoryStore(2, time.Hour)
	requireClaim(t, s, "evt_1", true)
	requireClaim(t, s, "evt_2", true)
	claimed, err := s.Claim(t.Context(), "evt_3")
	require.ErrorIs(t, err, errStoreFull)
	require.False(t, claimed)
	requireClaim(t, s, "evt_1", false)
	require.NoError(t, s.Release(t.Context(), "evt_1"))
	requireClaim(t, s, "evt_3", true)
}

func TestMemoryStoreClaimsOnceAmongMany(t *testing.T) {
	s := newMemoryStore(memoryStoreEntries, memoryStoreAge)
	var won atomic.Int32
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			for i := range 100 {
				id := fmt.Sprint("evt_", i)
				if ok, _ := s.Claim(t.Context(), id); ok {
					won.Add(1)
					_ = s.Done(t.Context(), id)
				}
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 100, won.Load())
}

// Without a Store a service remembers the last 16,384 events of the last 24
// hours.
func TestDefaultStoreHasTheBoundsThatAreDocumented(t *testing.T) {
	const most = 16384
	synctest.Test(t, func(t *testing.T) {
		hooks, err := NewWebhookService(WebhookConfig{Secrets: []string{"whsec_test"}})
		require.NoError(t, err)
		s := hooks.store
		for i := range most {
			requireClaim(t, s, fmt.Sprint("evt_", i), true)
		}
		_, err = s.Claim(t.Context(), "one too many")
		require.ErrorIs(t, err, errStoreFull)
		for i := range most {
			require.NoError(t, s.Done(t.Context(), fmt.Sprint("evt_", i)))
		}
		requireClaim(t, s, "evt_0", false)
		requireClaim(t, s, "one more", true)
		requireClaim(t, s, "evt_0", true) // in evt_1's place
		requireClaim(t, s, "evt_2", false)

		time.Sleep(24*time.Hour - 1)
		requireClaim(t, s, "evt_2", false)
		requireClaim(t, s, "one more", false)
		time.Sleep(1)
		requireClaim(t, s, "evt_2", true)
		requireClaim(t, s, "one more", true)
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
