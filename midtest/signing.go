package midtest

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mobid-io/mid-go"
)

const (
	defaultSigningHours = 72
	maxSigningHours     = 10 * 365 * 24 // keeps the expiry a sane date
)

// signings are the signing sessions, their documents and their signers.
type signings struct {
	stage  *stage
	origin func() string // of the links to sign at

	mu        sync.Mutex // guards what follows
	documents store[mid.SigningDocument]
	sessions  store[signingSession]
}

type signingSession struct {
	mid.SigningSession
	ending
}

func newSignings(s *stage, origin func() string) signings {
	return signings{stage: s, origin: origin, documents: newStore[mid.SigningDocument](), sessions: newStore[signingSession]()}
}

func (g *signingSession) snapshot() mid.SigningSession {
	v := g.SigningSession
	v.DocumentIDs = slices.Clone(v.DocumentIDs)
	v.Signers = slices.Clone(v.Signers)
	v.Metadata = maps.Clone(v.Metadata)
	return v
}

// SigningSessions returns the signing sessions as they are now, the newest
// first.
func (s *signings) SigningSessions() []mid.SigningSession {
	s.mu.Lock()
	defer s.mu.Unlock()
	return snapshots(s.sessions, func(g *signingSession) mid.SigningSession {
		s.expireIfDue(g)
		return g.snapshot()
	})
}

// SigningDocuments returns the documents that were uploaded to be signed, the
// newest first.
func (s *signings) SigningDocuments() []mid.SigningDocument {
	s.mu.Lock()
	defer s.mu.Unlock()
	return snapshots(s.documents, func(d *mid.SigningDocument) mid.SigningDocument { return *d })
}

// Sign makes a signer sign: the one with that SignURL or, of those with that
// e-mail address, the first that has not signed. The session is completed when
// all have signed. It is an error if the session or the signer is unknown, or
// if the session has ended or the signer has signed.
func (s *signings) Sign(sessionID, signer string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, who, err := s.awaitingSigner(sessionID, signer)
	if err != nil {
		return err
	}
	who.Status, who.SignedAt = mid.SignerSigned, now()
	who.IPAddress = "192.0.2.1" // of the block for documentation, RFC 5737
	who.BiometricVerified = g.RequireBiometric
	if !slices.ContainsFunc(g.Signers, func(s mid.Signer) bool { return s.Status != mid.SignerSigned }) {
		s.end(g, mid.SigningCompleted, now())
	}
	return nil
}

// Decline makes a signer decline, which ends the session. The signer and the
// errors are those of [Server.Sign].
func (s *signings) Decline(sessionID, signer string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, who, err := s.awaitingSigner(sessionID, signer)
	if err != nil {
		return err
	}
	who.Status = mid.SignerDeclined
	s.end(g, mid.SigningDeclined, now())
	return nil
}

// awaitingSigner finds the signer with the SignURL, or the first one with the
// e-mail address that has not signed: one person may be asked twice.
func (s *signings) awaitingSigner(id, key string) (*signingSession, *mid.Signer, error) {
	g, err := s.open(id)
	if err != nil {
		return nil, nil, err
	}
	var signed bool
	for i := range g.Signers {
		signer := &g.Signers[i]
		if signer.SignURL != key && !strings.EqualFold(signer.Email, key) {
			continue
		}
		if signer.Status == mid.SignerAwaiting {
			return g, signer, nil
		}
		signed = true
	}
	if signed {
		return nil, nil, already("signer "+key+" of session", id, string(mid.SignerSigned), "give another signer")
	}
	return nil, nil, fmt.Errorf("midtest: session %s has no signer %q; its Signers list the addresses", id, key)
}

func (s *signings) expire(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, err := s.open(id)
	if err != nil {
		return err
	}
	s.end(g, mid.SigningExpired, now())
	return nil
}

func (s *signings) has(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions.byID[id] != nil
}

// open returns a session that can still be driven.
func (s *signings) open(id string) (*signingSession, error) {
	g := s.sessions.byID[id]
	if g == nil {
		return nil, unknown("signing session", id, "SigningSessions")
	}
	if s.expireIfDue(g); g.Status.Final() {
		return nil, already("session", id, string(g.Status), "create another one to drive")
	}
	return g, nil
}

// expireIfDue does not rely on the timer, which may be a little late.
func (s *signings) expireIfDue(g *signingSession) {
	if !now().Before(g.ExpiresAt) {
		s.end(g, mid.SigningExpired, g.ExpiresAt)
	}
}

// end gives a session its final status, once.
func (s *signings) end(g *signingSession, status mid.SigningStatus, at time.Time) {
	if g.Status.Final() {
		return
	}
	g.Status, g.CompletedAt = status, at
	s.stage.end(g.ending, mid.EventSigningCompleted, g.ID, g.SigningSession)
}

func (s *signings) storeDocument(f form) (any, error) {
	doc := mid.SigningDocument{
		ID:          newID("doc"),
		Name:        f.fields["name"],
		ContentType: f.file.contentType,
		Size:        f.file.size,
		SHA256:      f.file.sha256,
		CreatedAt:   now(),
	}
	if doc.Name == "" {
		doc.Name = f.file.name
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.documents.add(doc.ID, &doc)
	return doc, nil
}

func (s *signings) create(o object) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.read(o)
	if err := o.invalid(); err != nil {
		return nil, err
	}
	created := now()
	g := &signingSession{SigningSession: mid.SigningSession{
		ID:               newID("sig"),
		Status:           mid.SigningPending,
		DocumentIDs:      p.DocumentIDs,
		Signers:          s.askSigners(p.Signers),
		RequireBiometric: *p.RequireBiometric,
		CreatedAt:        created,
		ExpiresAt:        created.Add(p.ExpiresIn),
		Metadata:         p.Metadata,
	}}
	g.callbackURL = p.CallbackURL
	s.sessions.add(g.ID, g)
	g.stop = s.stage.timers.after(p.ExpiresIn, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.end(g, mid.SigningExpired, g.ExpiresAt)
	})
	if s.stage.auto.on {
		s.autoSign(g.ID, slices.Clone(g.Signers))
	}
	return g.snapshot(), nil
}

// autoSign plays the signers, one after the other. What a test did before it
// stands, as with autoApprove.
func (s *signings) autoSign(id string, signers []mid.Signer) {
	s.stage.timers.after(s.stage.auto.after, func() {
		_ = s.Sign(id, signers[0].SignURL)
		if len(signers) > 1 {
			s.autoSign(id, signers[1:])
		}
	})
}

func (s *signings) askSigners(params []mid.SignerParams) []mid.Signer {
	origin := s.origin()
	signers := make([]mid.Signer, len(params))
	for i, p := range params {
		signers[i] = mid.Signer{
			Name:    p.Name,
			Email:   p.Email,
			Status:  mid.SignerAwaiting,
			SignURL: origin + "/sign/" + newID("link"),
		}
	}
	return signers
}

// read fills in the contract's defaults.
func (s *signings) read(o object) mid.CreateSigningSessionParams {
	p := mid.CreateSigningSessionParams{DocumentIDs: o.texts("document_ids", s.isDocument)}
	for _, signer := range o.objects("signers") {
		p.Signers = append(p.Signers, mid.SignerParams{
			Name:  signer.required("name", notEmpty),
			Email: signer.required("email", isEmail),
		})
	}
	p.ExpiresIn = readHours(o)
	biometric, ok := member[bool](o, "require_biometric", "true or false")
	p.RequireBiometric = new(biometric || !ok)
	p.CallbackURL = o.optional("callback_url", isCallbackURL)
	p.Metadata = o.metadata()
	return p
}

func (s *signings) isDocument(id string) string {
	return complainUnless(s.documents.byID[id] != nil, "must be the id of an uploaded signing document")
}

// readHours takes 1.0 and 1e1 too: to JSON they are whole numbers.
func readHours(o object) time.Duration {
	const name, kind = "expires_in", "a whole number"
	hours, ok := member[float64](o, name, kind)
	switch {
	case !ok:
		hours = defaultSigningHours
	case hours != math.Trunc(hours):
		o.complain(name, "must be "+kind)
	case hours < 1 || hours > maxSigningHours:
		o.complain(name, fmt.Sprintf("must be a number of hours from 1 to %d", maxSigningHours))
	}
	return time.Duration(hours) * time.Hour
}

func (s *signings) get(id string) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.sessions.byID[id]
	if g == nil {
		return nil, newProblem(mid.CodeNotFound, "there is no signing session with this id")
	}
	s.expireIfDue(g)
	return g.snapshot(), nil
}
