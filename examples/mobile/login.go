package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/mobid-io/mid-go"
)

// logins signs the users of a mobile app in. The app learns a link to open and a
// key of its attempt, and never a session's id: what it could bring back, it could
// have taken from someone else.
type logins struct {
	mid    *mid.Client
	signIn func(userID string) (token string, err error) // makes the product's own session

	mu       sync.Mutex
	attempts map[string]attempt // by the attempt's key; in a product, a table
}

// attempt is one try to sign in.
type attempt struct {
	sessionID string
	nonce     string // is in the session's metadata too
	expires   time.Time
}

const (
	maxAttempts = 10_000           // of all apps at a time
	longPoll    = 20 * time.Second // of one look of an app
)

func newLogins(client *mid.Client, signIn func(userID string) (string, error)) *logins {
	return &logins{mid: client, signIn: signIn, attempts: make(map[string]attempt)}
}

// ServeHTTP answers POST /login and POST /login/finish.
func (l *logins) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", l.begin)
	mux.HandleFunc("POST /login/finish", l.finish)
	mux.ServeHTTP(w, r)
}

// begin creates a session for this attempt only. The app opens the link, which
// brings the MID app to the front.
func (l *logins) begin(w http.ResponseWriter, r *http.Request) {
	if !l.room() {
		reply(w, http.StatusServiceUnavailable, map[string]string{"status": "busy"})
		return
	}
	nonce := rand.Text()
	session, err := l.mid.Authentication.CreateSession(r.Context(), mid.CreateAuthSessionParams{
		Intent:   mid.IntentLogin,
		Metadata: map[string]string{"login": nonce},
	})
	if err != nil {
		fail(w, r, err)
		return
	}
	key := rand.Text()
	l.keep(key, attempt{session.ID, nonce, session.ExpiresAt.Add(time.Minute)})
	reply(w, http.StatusCreated, map[string]string{"attempt": key, "link": session.QRData})
}

// finish waits for the decision on the phone. An attempt is taken out before it
// is verified, so that it signs in once, however often it is sent.
func (l *logins) finish(w http.ResponseWriter, r *http.Request) {
	var in struct{ Attempt string }
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<10)).Decode(&in); err != nil {
		reply(w, http.StatusBadRequest, map[string]string{"status": "bad request"})
		return
	}
	a, ok := l.peek(in.Attempt)
	if !ok {
		reply(w, http.StatusUnauthorized, map[string]string{"status": "unknown"})
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), longPoll)
	defer cancel()
	session, err := l.mid.Authentication.WaitForSession(ctx, a.sessionID, mid.PollOptions{})
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		reply(w, http.StatusAccepted, map[string]string{"status": "pending"})
		return
	case err != nil:
		fail(w, r, err)
		return
	}
	if !l.take(in.Attempt) {
		reply(w, http.StatusUnauthorized, map[string]string{"status": "unknown"})
		return
	}
	if session.Status != mid.AuthApproved {
		reply(w, http.StatusForbidden, map[string]string{"status": string(session.Status)})
		return
	}
	userID, err := l.verify(r.Context(), a)
	if err != nil {
		if !errors.Is(err, mid.ErrUnexpectedSession) {
			l.keep(in.Attempt, a) // the app may try again when MID answers
		}
		fail(w, r, err)
		return
	}
	token, err := l.signIn(userID)
	if err != nil {
		fail(w, r, err)
		return
	}
	reply(w, http.StatusOK, map[string]string{"status": "approved", "token": token})
}

// verify says who approved the attempt. That the session was approved is not
// enough: it must be a login, of this attempt, and recent.
func (l *logins) verify(ctx context.Context, a attempt) (userID string, err error) {
	result, err := l.mid.Authentication.Verify(ctx, mid.VerifyAuthenticationParams{
		SessionID: a.sessionID,
		Expect: &mid.AuthExpectation{
			Intent:   mid.IntentLogin,
			Metadata: map[string]string{"login": a.nonce},
		},
	})
	if err != nil {
		return "", err
	}
	if !result.Verified {
		return "", mid.ErrUnexpectedSession
	}
	return result.UserID, nil
}

// room forgets the attempts that have expired, and reports whether there may be
// one more.
func (l *logins) room() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	maps.DeleteFunc(l.attempts, func(_ string, a attempt) bool { return time.Now().After(a.expires) })
	return len(l.attempts) < maxAttempts
}

func (l *logins) keep(key string, a attempt) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.attempts[key] = a
}

func (l *logins) peek(key string) (attempt, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a, ok := l.attempts[key]
	return a, ok
}

// take reports to one caller only that the attempt is its to finish.
func (l *logins) take(key string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := l.attempts[key]
	delete(l.attempts, key)
	return ok
}

func fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, mid.ErrUnexpectedSession) {
		slog.WarnContext(r.Context(), "login refused", slog.Any("error", err))
		reply(w, http.StatusForbidden, map[string]string{"status": "refused"})
		return
	}
	slog.ErrorContext(r.Context(), "login failed", slog.Any("error", err))
	if e, ok := errors.AsType[*mid.RateLimitError](err); ok {
		w.Header().Set("Retry-After", strconv.Itoa(int(e.RetryAfter.Seconds())+1))
	}
	reply(w, http.StatusServiceUnavailable, map[string]string{"status": "unavailable"})
}

func reply(w http.ResponseWriter, status int, body map[string]string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
