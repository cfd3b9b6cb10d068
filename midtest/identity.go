package midtest

import (
	"cmp"
	"fmt"
	"maps"
	"time"

	"github.com/mobid-io/mid-go"
)

const (
	checkPassed    = "passed"
	checkFailed    = "failed"
	checkPending   = "pending"
	checkCompleted = "completed"
)

type verification struct {
	mid.Verification
	ending
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
func (s *Server) Verifications() []mid.Verification {
	s.mu.Lock()
	defer s.mu.Unlock()
	return snapshots(s.verifications, (*verification).snapshot)
}

// IdentityDocuments returns the identity documents and selfies that were
// uploaded, the newest first.
func (s *Server) IdentityDocuments() []mid.IdentityDocument {
	s.mu.Lock()
	defer s.mu.Unlock()
	return snapshots(s.documents, func(d *mid.IdentityDocument) mid.IdentityDocument { return *d })
}

// Outcome is how a verification ends. Its zero value is a success, with an
// invented person. What a verified or rejected outcome leaves out is invented;
// an expired one has nothing but its status.
type Outcome struct {
	// Status is verified, rejected or expired; empty: verified.
	Status mid.VerificationStatus
	// Confidence is between 0 and 1. Zero: 0.98 if verified, 0.31 if rejected.
	Confidence float64
	// Checks stay as [Server.UpdateChecks] decided them if they are left out,
	// and those that it left pending pass; of a rejected outcome, the face
	// match fails.
	Checks mid.VerificationChecks
	// ExtractedData is that of an invented person if it is left out.
	ExtractedData mid.ExtractedData
	// RejectionReason is for a rejected outcome alone; one is given if it is
	// left out.
	RejectionReason string
}

// UpdateChecks sets the checks of a verification that goes on, but for those
// that are empty: for what watches them pass one by one. The contract's results
// are pending, passed, failed and, of the data extraction, completed; any other
// is taken too. It is an error if the verification is unknown or ended.
func (s *Server) UpdateChecks(verificationID string, checks mid.VerificationChecks) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := s.openVerification(verificationID)
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
// is unknown or ended, or if the outcome can't be one.
func (s *Server) CompleteVerification(verificationID string, o Outcome) error {
	if o.Status == "" {
		o.Status = mid.VerificationVerified
	}
	if err := o.check(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := s.openVerification(verificationID)
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
	s.end(v.ending, mid.EventVerificationCompleted, v.ID, v.Verification)
	return nil
}

// openVerification returns a verification that can still be driven.
func (s *Server) openVerification(id string) (*verification, error) {
	v := s.verifications.byID[id]
	if v == nil {
		return nil, unknown("verification", id, "Verifications")
	}
	if v.Status.Final() {
		return nil, already("verification", id, string(v.Status), "start another one to drive")
	}
	return v, nil
}

func (o *Outcome) check() error {
	if !o.Status.Final() {
		return fmt.Errorf("midtest: the outcome's Status is %q; give verified, rejected or expired", o.Status)
	}
	if !(o.Confidence >= 0 && o.Confidence <= 1) { // so that NaN is refused too
		return fmt.Errorf("midtest: the outcome's Confidence is %v; give one from 0 to 1", o.Confidence)
	}
	if o.Status != mid.VerificationRejected && o.RejectionReason != "" {
		return fmt.Errorf("midtest: the outcome is %s with a RejectionReason; leave it out, or make the Status rejected", o.Status)
	}
	return nil
}

// fill invents what was left out.
func (o *Outcome) fill(v *mid.Verification) {
	confidence, faceMatch, reason := 0.98, checkPassed, ""
	if o.Status == mid.VerificationRejected {
		confidence, faceMatch, reason = 0.31, checkFailed, "The face in the selfie does not match the document."
	}
	if o.Confidence == 0 {
		o.Confidence = confidence
	}
	if o.RejectionReason == "" {
		o.RejectionReason = reason
	}
	if o.Checks == (mid.VerificationChecks{}) {
		o.Checks = mid.VerificationChecks{
			DocumentAuthenticity: decided(v.Checks.DocumentAuthenticity, checkPassed),
			FaceMatch:            decided(v.Checks.FaceMatch, faceMatch),
			LivenessDetection:    decided(v.Checks.LivenessDetection, checkPassed),
			DataExtraction:       decided(v.Checks.DataExtraction, checkCompleted),
		}
	}
	if o.ExtractedData == (mid.ExtractedData{}) {
		o.ExtractedData = mid.ExtractedData{
			FirstName:      "Robin",
			LastName:       "Example",
			DateOfBirth:    "1990-04-12",
			DocumentNumber: "X00000001",
			ExpiryDate:     v.CreatedAt.AddDate(5, 0, 0).Format(time.DateOnly),
			Nationality:    v.Country,
		}
	}
}

// decided is how a check ends that stands at now.
func decided(now, otherwise string) string {
	if now != checkPending {
		return now
	}
	return otherwise
}

func (s *Server) storeIdentityDocument(f form) (any, error) {
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

func (s *Server) startVerification(o object) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.readVerification(o)
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
	s.verifications.add(v.ID, v)
	if s.options.autoComplete {
		s.timers.after(s.options.completeAfter, func() { _ = s.CompleteVerification(v.ID, Outcome{}) })
	}
	return v.snapshot(), nil
}

func (s *Server) readVerification(o object) mid.StartVerificationParams {
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

// isDocument takes a document whose side was not told for either side, and any
// if the request does not tell the type.
func (s *Server) isDocument(want mid.DocumentType, side mid.DocumentSide) check {
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

func (s *Server) getVerification(id string) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.verifications.byID[id]
	if v == nil {
		return nil, newProblem(mid.CodeNotFound, "there is no verification with this id")
	}
	return v.snapshot(), nil
}
