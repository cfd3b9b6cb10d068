package midtest

import (
	"cmp"
	"maps"
	"sync"
	"time"

	"github.com/mobid-io/mid-go"
)

// verifications are the verifications of identities and their documents.
type verifications struct {
	stage *stage

	mu        sync.Mutex // guards what follows
	documents store[mid.IdentityDocument]
	started   store[verification]
}

type verification struct {
	mid.Verification
	ending
}

func newVerifications(s *stage) verifications {
	return verifications{stage: s, documents: newStore[mid.IdentityDocument](), started: newStore[verification]()}
}

func (v *verification) snapshot() mid.Verification {
	c := v.Verification
	c.Metadata = maps.Clone(c.Metadata)
	if c.Confidence != nil {
		c.Confidence = new(*c.Confidence)
	}
	return c
}

// Verifications returns the verifications as they are now, the newest first.
func (s *verifications) Verifications() []mid.Verification {
	s.mu.Lock()
	defer s.mu.Unlock()
	return snapshots(s.started, (*verification).snapshot)
}

// IdentityDocuments returns the identity documents and selfies that were
// uploaded, the newest first.
func (s *verifications) IdentityDocuments() []mid.IdentityDocument {
	s.mu.Lock()
	defer s.mu.Unlock()
	return snapshots(s.documents, func(d *mid.IdentityDocument) mid.IdentityDocument { return *d })
}

// UpdateChecks sets the checks of a verification that goes on, except for those
// that are empty: for code that watches them pass one by one. The contract's
// results are pending, passed, failed and, for the data extraction, completed.
// Any other is taken too. It is an error if the verification is unknown or
// ended.
func (s *verifications) UpdateChecks(verificationID string, checks mid.VerificationChecks) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := s.open(verificationID)
	if err != nil {
		return err
	}
	v.Checks = mid.VerificationChecks{
		DocumentAuthenticity: cmp.Or(checks.DocumentAuthenticity, v.Checks.DocumentAuthenticity),
		FaceMatch:            cmp.Or(checks.FaceMatch, v.Checks.FaceMatch),
		LivenessDetection:    cmp.Or(checks.LivenessDetection, v.Checks.LivenessDetection),
		DataExtraction:       cmp.Or(checks.DataExtraction, v.Checks.DataExtraction),
	}
	return nil
}

// CompleteVerification ends a verification. It is an error if the verification
// is unknown or ended, or if the outcome is invalid.
func (s *verifications) CompleteVerification(verificationID string, o Outcome) error {
	if o.Status == "" {
		o.Status = mid.VerificationVerified
	}
	if err := o.check(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := s.open(verificationID)
	if err != nil {
		return err
	}
	v.Status, v.CompletedAt, v.EstimatedTime = o.Status, now(), 0
	if o.Status == mid.VerificationExpired {
		v.Checks = mid.VerificationChecks{}
	} else {
		o.fill(&v.Verification)
		v.Confidence = &o.Confidence
		v.Checks, v.ExtractedData, v.RejectionReason = o.Checks, o.ExtractedData, o.RejectionReason
	}
	s.stage.end(v.ending, mid.EventVerificationCompleted, v.ID, v.Verification)
	return nil
}

func (s *verifications) has(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.started.byID[id] != nil
}

// open returns a verification that can still be driven.
func (s *verifications) open(id string) (*verification, error) {
	v := s.started.byID[id]
	if v == nil {
		return nil, unknown("verification", id, "Verifications")
	}
	if v.Status.Final() {
		return nil, already("verification", id, string(v.Status), "start another one to drive")
	}
	return v, nil
}

func (s *verifications) storeDocument(f form) (any, error) {
	doc := mid.IdentityDocument{
		ID:          newID("doc"),
		Type:        mid.DocumentType(f.fields["type"]),
		Side:        mid.DocumentSide(f.fields["side"]),
		Country:     f.fields["country"],
		FileName:    f.file.name,
		ContentType: f.file.contentType,
		Size:        f.file.size,
		SHA256:      f.file.sha256,
		CreatedAt:   now(),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.documents.add(doc.ID, &doc)
	return doc, nil
}

func (s *verifications) create(o object) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.read(o)
	if err := o.invalid(); err != nil {
		return nil, err
	}
	v := &verification{Verification: mid.Verification{
		ID:            newID("ver"),
		Status:        mid.VerificationProcessing,
		DocumentType:  p.DocumentType,
		Country:       p.Country,
		EstimatedTime: 30 * time.Second,
		Checks: mid.VerificationChecks{
			DocumentAuthenticity: checkPending,
			FaceMatch:            checkPending,
			LivenessDetection:    checkPending,
			DataExtraction:       checkPending,
		},
		CreatedAt: now(),
		Metadata:  p.Metadata,
	}}
	v.callbackURL = p.CallbackURL
	s.started.add(v.ID, v)
	if s.stage.auto.on {
		s.stage.timers.after(s.stage.auto.after, func() { _ = s.CompleteVerification(v.ID, Outcome{}) })
	}
	return v.snapshot(), nil
}

func (s *verifications) read(o object) mid.StartVerificationParams {
	kind := mid.DocumentType(o.required("document_type", oneOf(mid.DocumentPassport, mid.DocumentNationalID, mid.DocumentDriversLicense)))
	return mid.StartVerificationParams{
		DocumentType:    kind,
		Country:         o.required("country", isCountry),
		DocumentFrontID: o.required("document_front_id", s.isDocument(kind, mid.SideFront)),
		DocumentBackID:  o.optional("document_back_id", s.isDocument(kind, mid.SideBack)),
		SelfieID:        o.required("selfie_id", s.isDocument(mid.DocumentSelfie, mid.SideFront)),
		CallbackURL:     o.optional("callback_url", isCallbackURL),
		Metadata:        o.metadata(),
	}
}

// isDocument takes a document that was uploaded without a side for either side,
// and a document of any type if the request has no type.
func (s *verifications) isDocument(want mid.DocumentType, side mid.DocumentSide) check {
	return func(id string) string {
		doc := s.documents.byID[id]
		switch {
		case doc == nil:
			return "must be the id of an uploaded identity document"
		case want != "" && doc.Type != want:
			return "must be a document of the type " + string(want) + ", not " + string(doc.Type)
		case doc.Side != "" && doc.Side != side:
			return "must show the " + string(side) + " of the document"
		}
		return ""
	}
}

func (s *verifications) get(id string) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.started.byID[id]
	if v == nil {
		return nil, newProblem(mid.CodeNotFound, "there is no verification with this id")
	}
	return v.snapshot(), nil
}
