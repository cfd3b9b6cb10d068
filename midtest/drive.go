package midtest

import (
	"fmt"
	"slices"

	"github.com/mobid-io/mid-go"
)

// ending is what a session or verification needs when it ends.
type ending struct {
	callbackURL string // empty: nobody is told
	stop        func() // the expiry; nil if there is none
}

// end tells of a resource that has just ended. data is what its GET answers.
func (s *Server) end(e ending, kind mid.EventType, id string, data any) {
	if e.stop != nil {
		e.stop()
	}
	if e.callbackURL != "" {
		s.hooks.send(kind, id, e.callbackURL, data)
	}
}

// Expire makes an authentication session, a verification or a signing session
// expire now. It is an error if the id is unknown or its status is final.
func (s *Server) Expire(id string) error {
	s.mu.Lock()
	_, isAuth := s.authSessions.byID[id]
	_, isVerification := s.verifications.byID[id]
	_, isSigning := s.signings.byID[id]
	s.mu.Unlock()
	switch {
	case isAuth:
		return s.endAuthByID(id, mid.AuthExpired)
	case isVerification:
		return s.CompleteVerification(id, Outcome{Status: mid.VerificationExpired})
	case isSigning:
		return s.expireSigning(id)
	}
	return fmt.Errorf("midtest: there is no authentication session, verification or signing session %q; "+
		"AuthSessions, Verifications and SigningSessions list those of this server", id)
}

func unknown(kind, id, list string) error {
	return fmt.Errorf("midtest: there is no %s %q; %s lists those of this server", kind, id, list)
}

func already(kind, id, status, advice string) error {
	return fmt.Errorf("midtest: %s %s is already %s; %s", kind, id, status, advice)
}

// snapshots copies a store, the newest first.
func snapshots[T, V any](s store[T], snapshot func(*T) V) []V {
	all := make([]V, 0, len(s.order))
	for _, v := range slices.Backward(s.order) {
		all = append(all, snapshot(v))
	}
	return all
}
