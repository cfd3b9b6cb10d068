package midtest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/mobid-io/mid-go"
)

const (
	defaultSigningHours = 72
	maxSigningHours     = 10 * 365 * 24 // keeps the expiry a sane date
)

type signingSession struct {
	mid.SigningSession
	ending
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
func (s *Server) SigningSessions() []mid.SigningSession {
	s.mu.Lock()
	defer s.mu.Unlock()
	return snapshots(s.signings, func(g *signingSession) mid.SigningSession {
		s.expireSigningIfDue(g)
		return g.snapshot()
	})
}

// SigningDocuments returns the documents that were uploaded to be signed, the
// newest first.
func (s *Server) SigningDocuments() []mid.SigningDocument {
	s.mu.Lock()
	defer s.mu.Unlock()
	return snapshots(s.contracts, func(d *mid.SigningDocument) mid.SigningDocument { return *d })
}

// Sign makes a signer sign: the one with that SignURL or, of those with that
// e-mail address, the first who has not. The session is completed when all
// have. It is an error if the session or the signer is unknown, or the signer
// or the session has ended.
func (s *Server) Sign(sessionID, signer string) error {
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
		s.endSigning(g, mid.SigningCompleted, now())
	}
	return nil
}

// Decline makes a signer decline, which ends the session. The signer and the
// errors are those of [Server.Sign].
func (s *Server) Decline(sessionID, signer string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, who, err := s.awaitingSigner(sessionID, signer)
	if err != nil {
		return err
	}
	who.Status = mid.SignerDeclined
	s.endSigning(g, mid.SigningDeclined, now())
	return nil
}

// awaitingSigner finds the signer with the SignURL, or the first one with the
// e-mail address that has not signed: one person may be asked twice.
func (s *Server) awaitingSigner(id, key string) (*signingSession, *mid.Signer, error) {
	g, err := s.openSigning(id)
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

func (s *Server) expireSigning(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, err := s.openSigning(id)
	if err != nil {
		return err
	}
	s.endSigning(g, mid.SigningExpired, now())
	return nil
}

// openSigning returns a session that can still be driven.
func (s *Server) openSigning(id string) (*signingSession, error) {
	g := s.signings.byID[id]
	if g == nil {
		return nil, unknown("signing session", id, "SigningSessions")
	}
	if s.expireSigningIfDue(g); g.Status.Final() {
		return nil, already("session", id, string(g.Status), "create another one to drive")
	}
	return g, nil
}

// expireSigningIfDue does not rely on the timer, which may be a little late.
func (s *Server) expireSigningIfDue(g *signingSession) {
	if !now().Before(g.ExpiresAt) {
		s.endSigning(g, mid.SigningExpired, g.ExpiresAt)
	}
}

// endSigning gives a session its final status, once.
func (s *Server) endSigning(g *signingSession, status mid.SigningStatus, at time.Time) {
	if g.Status.Final() {
		return
	}
	g.Status, g.CompletedAt = status, at
	s.end(g.ending, mid.EventSigningCompleted, g.ID, g.SigningSession)
}

func (s *Server) storeSigningDocument(f form) (any, error) {
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
	s.contracts.add(doc.ID, &doc)
	return doc, nil
}

func (s *Server) createSigningSession(o object) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.readSigning(o)
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
	s.signings.add(g.ID, g)
	g.stop = s.timers.after(p.ExpiresIn, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.endSigning(g, mid.SigningExpired, g.ExpiresAt)
	})
	if s.options.autoComplete {
		s.autoSign(g.ID, slices.Clone(g.Signers))
	}
	return g.snapshot(), nil
}

// autoSign plays the signers, one after the other. What a test did before it
// stands, as with autoApprove.
func (s *Server) autoSign(id string, signers []mid.Signer) {
	s.timers.after(s.options.completeAfter, func() {
		_ = s.Sign(id, signers[0].SignURL)
		if len(signers) > 1 {
			s.autoSign(id, signers[1:])
		}
	})
}

func (s *Server) askSigners(params []mid.SignerParams) []mid.Signer {
	origin := strings.TrimSuffix(s.URL, basePath)
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

// readSigning fills in the contract's defaults.
func (s *Server) readSigning(o object) mid.CreateSigningSessionParams {
	p := mid.CreateSigningSessionParams{DocumentIDs: o.texts("document_ids", s.isContract)}
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

func (s *Server) isContract(id string) string {
	return complainUnless(s.contracts.byID[id] != nil, "must be the id of an uploaded signing document")
}

func readHours(o object) time.Duration {
	const name = "expires_in"
	hours, ok := member[int64](o, name, "a whole number")
	switch {
	case !ok:
		hours = defaultSigningHours
	case hours < 1 || hours > maxSigningHours:
		o.details.add(name, fmt.Sprintf("must be a number of hours from 1 to %d", maxSigningHours))
	}
	return time.Duration(hours) * time.Hour
}

func (s *Server) getSigningSession(id string) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.signings.byID[id]
	if g == nil {
		return nil, newProblem(mid.CodeNotFound, "there is no signing session with this id")
	}
	s.expireSigningIfDue(g)
	return g.snapshot(), nil
}
