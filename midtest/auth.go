package midtest

import (
	"maps"
	"sync"
	"time"

	"github.com/mobid-io/mid-go"
)

const (
	authLifetime  = 5 * time.Minute
	defaultUserID = "user_midtest"
)

// authSessions are the authentication sessions and the phones of their users.
type authSessions struct {
	stage *stage

	mu       sync.Mutex // guards the sessions and what they refer to
	sessions store[authSession]
}

type authSession struct {
	mid.AuthSession
	ending
}

func newAuthSessions(s *stage) authSessions {
	return authSessions{stage: s, sessions: newStore[authSession]()}
}

func (a *authSession) snapshot() mid.AuthSession {
	v := a.AuthSession
	v.Metadata = maps.Clone(v.Metadata)
	return v
}

// AuthSessions returns the authentication sessions as they are now, the newest
// first: for tests that look for what the code under test created.
func (s *authSessions) AuthSessions() []mid.AuthSession {
	s.mu.Lock()
	defer s.mu.Unlock()
	return snapshots(s.sessions, func(a *authSession) mid.AuthSession {
		s.expireIfDue(a)
		return a.snapshot()
	})
}

// Scan makes a session's QR code scanned. It is an error if the session is
// unknown, already scanned or decided.
func (s *authSessions) Scan(sessionID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.open(sessionID)
	if err != nil {
		return err
	}
	if a.Status == mid.AuthScanned {
		return already("session", sessionID, string(a.Status), "go on with Approve, Reject or Expire")
	}
	a.Status = mid.AuthScanned
	return nil
}

// Approve makes the user with the given id, or user_midtest if it is empty,
// approve a session, scanned or not. It is an error if the session is unknown
// or decided.
func (s *authSessions) Approve(sessionID, userID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.open(sessionID)
	if err != nil {
		return err
	}
	if userID == "" {
		userID = defaultUserID
	}
	a.UserID, a.Method = userID, "face"
	s.end(a, mid.AuthApproved, now())
	return nil
}

// Reject makes the user decline a session, scanned or not. It is an error if
// the session is unknown or decided.
func (s *authSessions) Reject(sessionID string) error {
	return s.endByID(sessionID, mid.AuthRejected)
}

func (s *authSessions) endByID(id string, status mid.AuthStatus) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.open(id)
	if err != nil {
		return err
	}
	s.end(a, status, now())
	return nil
}

func (s *authSessions) has(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions.byID[id] != nil
}

// open returns a session that can still be driven.
func (s *authSessions) open(id string) (*authSession, error) {
	a := s.sessions.byID[id]
	if a == nil {
		return nil, unknown("authentication session", id, "AuthSessions")
	}
	if s.expireIfDue(a); a.Status.Final() {
		return nil, already("session", id, string(a.Status), "create another one to drive")
	}
	return a, nil
}

// expireIfDue does not rely on the timer, which may be a little late.
func (s *authSessions) expireIfDue(a *authSession) {
	if !now().Before(a.ExpiresAt) {
		s.end(a, mid.AuthExpired, a.ExpiresAt)
	}
}

// end gives a session its final status, once.
func (s *authSessions) end(a *authSession, status mid.AuthStatus, at time.Time) {
	if a.Status.Final() {
		return
	}
	a.Status, a.CompletedAt = status, at
	s.stage.end(a.ending, mid.EventAuthenticationCompleted, a.ID, a.AuthSession)
}

func (s *authSessions) create(o object) (any, error) {
	p := mid.CreateAuthSessionParams{
		Intent:      mid.Intent(o.required("intent", oneOf(mid.IntentLogin, mid.IntentPayment, mid.IntentConsent))),
		Recipient:   o.optional("recipient", isRecipient),
		CallbackURL: o.optional("callback_url", isCallbackURL),
		Metadata:    o.metadata(),
	}
	if err := o.invalid(); err != nil {
		return nil, err
	}
	id, created := newID("sess"), now()
	text := "mid://auth?session=" + id
	code, err := qrDataURL(text)
	if err != nil {
		return nil, err
	}
	a := &authSession{AuthSession: mid.AuthSession{
		ID:        id,
		Status:    mid.AuthPending,
		Intent:    p.Intent,
		Recipient: p.Recipient,
		QRCode:    code,
		QRData:    text,
		CreatedAt: created,
		ExpiresAt: created.Add(authLifetime),
		Metadata:  p.Metadata,
	}}
	a.callbackURL = p.CallbackURL

	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions.add(id, a)
	a.stop = s.stage.timers.after(authLifetime, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.end(a, mid.AuthExpired, a.ExpiresAt)
	})
	s.autoApprove(id)
	return a.snapshot(), nil
}

// autoApprove plays the user, if asked to. What a test did before it stands:
// that is all its errors can say.
func (s *authSessions) autoApprove(id string) {
	if !s.stage.auto.on {
		return
	}
	half := s.stage.auto.after / 2
	s.stage.timers.after(half, func() {
		_ = s.Scan(id)
		s.stage.timers.after(s.stage.auto.after-half, func() { _ = s.Approve(id, "") })
	})
}

func (s *authSessions) get(id string) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.sessions.byID[id]
	if a == nil {
		return nil, newProblem(mid.CodeNotFound, "there is no authentication session with this id")
	}
	s.expireIfDue(a)
	return a.snapshot(), nil
}

func (s *authSessions) verify(o object) (any, error) {
	id := o.required("session_id", notEmpty)
	if err := o.invalid(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.sessions.byID[id]
	if a == nil {
		return nil, newProblem(mid.CodeNotFound, "there is no authentication session with this id")
	}
	s.expireIfDue(a)
	result := mid.AuthenticationResult{SessionID: a.ID, Status: a.Status}
	if a.Status == mid.AuthApproved {
		result.Verified, result.VerifiedAt = true, now()
		result.UserID, result.Method = a.UserID, a.Method
	}
	return result, nil
}
