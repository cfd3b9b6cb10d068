package midtest

import (
	"fmt"
	"time"

	"github.com/mobid-io/mid-go"
)

// The results of checks.
const (
	checkPassed    = "passed"
	checkFailed    = "failed"
	checkPending   = "pending"
	checkCompleted = "completed"
)

// Outcome is how a verification ends. Its zero value is a success, with an
// invented person. What a verified or rejected outcome leaves out is invented.
// An expired one has nothing but its status.
type Outcome struct {
	// Status is verified, rejected or expired. If empty, it is verified.
	Status mid.VerificationStatus
	// Confidence is between 0 and 1. If zero, it is 0.98 for a verified and 0.31
	// for a rejected outcome.
	Confidence float64
	// Checks, if left out, stay as [Server.UpdateChecks] decided them. Those that
	// are still pending pass, except that the face match of a rejected outcome
	// fails.
	Checks mid.VerificationChecks
	// ExtractedData, if left out, is that of an invented person.
	ExtractedData mid.ExtractedData
	// RejectionReason is only for a rejected outcome. If empty, one is invented.
	RejectionReason string
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

// decided is the end of a check that stands at now.
func decided(now, otherwise string) string {
	if now != checkPending {
		return now
	}
	return otherwise
}
