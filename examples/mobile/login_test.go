package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

// world is a backend, its MID and its users.
type world struct {
	*logins
	fake *midtest.Server

	mu     sync.Mutex
	signed []string // the users that were signed in
}

// play runs a test in a bubble, where waiting takes no time.
func play(t *testing.T, f func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{fake: midtest.NewServer(midtest.WithInMemory())}
		defer w.fake.Close()
		w.logins = newLogins(w.fake.Client(), func(userID string) (string, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.signed = append(w.signed, userID)
			return "token of " + userID, nil
		})
		f(t, w)
	})
}

func (w *world) post(t *testing.T, path string, in any) (int, map[string]string) {
	t.Helper()
	body, err := json.Marshal(in)
	require.NoError(t, err)
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body)))
	var out map[string]string
	require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &out))
	require.Equal(t, "no-store", rec.Header().Get("Cache-Control"))
	return rec.Code, out
}

// begin returns the app's key of a new attempt and the session behind it.
func (w *world) beginOne(t *testing.T) (key, sessionID string) {
	t.Helper()
	code, out := w.post(t, "/login", nil)
	require.Equal(t, http.StatusCreated, code)
	require.NotEmpty(t, out["link"])
	a, ok := w.peek(out["attempt"])
	require.True(t, ok)
	return out["attempt"], a.sessionID
}

func (w *world) finishOne(t *testing.T, key string) (int, map[string]string) {
	t.Helper()
	return w.post(t, "/login/finish", map[string]string{"attempt": key})
}

func TestAnAppSignsItsUserIn(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		key, sessionID := w.beginOne(t)
		code, out := w.finishOne(t, key)
		require.Equal(t, http.StatusAccepted, code, "after a long poll")
		require.Equal(t, "pending", out["status"])
		go func() {
			time.Sleep(3 * time.Second)
			assert.NoError(t, w.fake.Approve(sessionID, "user_ada"))
		}()
		code, out = w.finishOne(t, key)
		require.Equal(t, http.StatusOK, code)
		require.Equal(t, map[string]string{"status": "approved", "token": "token of user_ada"}, out)
	})
}

func TestAnAppLearnsOfARejection(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		key, sessionID := w.beginOne(t)
		require.NoError(t, w.fake.Reject(sessionID))
		code, out := w.finishOne(t, key)
		require.Equal(t, http.StatusForbidden, code)
		require.Equal(t, "rejected", out["status"])
		require.Empty(t, w.signed)
	})
}

// What an attacker may try. None of it signs anyone in.
func TestAttacks(t *testing.T) {
	for name, attack := range map[string]func(t *testing.T, w *world) (key string){
		"a session's id in place of a key": func(t *testing.T, w *world) string {
			_, sessionID := w.beginOne(t)
			require.NoError(t, w.fake.Approve(sessionID, "user_ada"))
			return sessionID
		},
		"an invented key": func(*testing.T, *world) string { return "AAAAAAAAAAAAAAAAAAAAAAAAAA" },
		"an empty key":    func(*testing.T, *world) string { return "" },
		"an attempt that was used": func(t *testing.T, w *world) string {
			key, sessionID := w.beginOne(t)
			require.NoError(t, w.fake.Approve(sessionID, "user_ada"))
			code, _ := w.finishOne(t, key)
			require.Equal(t, http.StatusOK, code)
			w.signed = nil
			return key
		},
		"a session of another application": func(t *testing.T, w *world) string {
			key, _ := w.beginOne(t)
			w.replace(key, w.approved(t, mid.IntentLogin, map[string]string{"login": "another"}))
			return key
		},
		"a session without metadata": func(t *testing.T, w *world) string {
			key, _ := w.beginOne(t)
			w.replace(key, w.approved(t, mid.IntentLogin, nil))
			return key
		},
		"a payment": func(t *testing.T, w *world) string {
			key, _ := w.beginOne(t)
			a, _ := w.peek(key)
			w.replace(key, w.approved(t, mid.IntentPayment, map[string]string{"login": a.nonce}))
			return key
		},
		"an old session": func(t *testing.T, w *world) string {
			key, sessionID := w.beginOne(t)
			require.NoError(t, w.fake.Approve(sessionID, "user_ada"))
			time.Sleep(5*time.Minute + time.Second)
			return key
		},
		"two attempts that are swapped": func(t *testing.T, w *world) string {
			mine, first := w.beginOne(t)
			theirs, second := w.beginOne(t)
			require.NoError(t, w.fake.Approve(second, "user_ada"))
			w.replace(mine, second)
			w.replace(theirs, first)
			return mine
		},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, w *world) {
				code, out := w.finishOne(t, attack(t, w))
				require.Contains(t, []int{http.StatusUnauthorized, http.StatusForbidden}, code, "%v", out)
				require.Empty(t, out["token"])
				require.Empty(t, w.signed)
			})
		})
	}
}

// replace puts another session behind an attempt, as a fault of the store would.
func (w *world) replace(key, sessionID string) {
	w.logins.mu.Lock()
	defer w.logins.mu.Unlock()
	a := w.attempts[key]
	a.sessionID = sessionID
	w.attempts[key] = a
}

func (w *world) approved(t *testing.T, intent mid.Intent, metadata map[string]string) (sessionID string) {
	t.Helper()
	session, err := w.fake.Client().Authentication.CreateSession(t.Context(), mid.CreateAuthSessionParams{Intent: intent, Metadata: metadata})
	require.NoError(t, err)
	require.NoError(t, w.fake.Approve(session.ID, "user_ada"))
	return session.ID
}

func TestAnAttemptSignsInOnce(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		key, sessionID := w.beginOne(t)
		require.NoError(t, w.fake.Approve(sessionID, "user_ada"))
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() { w.finishOne(t, key) })
		}
		wg.Wait()
		require.Equal(t, []string{"user_ada"}, w.signed)
	})
}

// When MID does not answer, the attempt is not lost.
func TestAnAttemptOutlivesAnOutage(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		key, sessionID := w.beginOne(t)
		require.NoError(t, w.fake.Approve(sessionID, "user_ada"))
		w.fake.Inject(midtest.Fault{Path: "/auth/verify", Times: 4, Status: http.StatusServiceUnavailable})
		code, _ := w.finishOne(t, key)
		require.Equal(t, http.StatusServiceUnavailable, code)
		code, _ = w.finishOne(t, key)
		require.Equal(t, http.StatusOK, code)
	})
}

func TestAttemptsAreBounded(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		for range maxAttempts {
			w.keep(rand.Text(), attempt{expires: time.Now().Add(time.Minute)})
		}
		code, out := w.post(t, "/login", nil)
		require.Equal(t, http.StatusServiceUnavailable, code, "%v", out)
		time.Sleep(2 * time.Minute)
		w.beginOne(t)
		require.Len(t, w.attempts, 1, "those that expired are gone")
	})
}
