package midtest_test

import (
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

func TestOutcomes(t *testing.T) {
	c := start(t)
	complete := func(o midtest.Outcome) mid.Verification {
		t.Helper()
		v := c.verification("")
		require.NoError(t, c.srv.CompleteVerification(v.ID, o))
		return data[mid.Verification](t, c.get("/identity/verifications/"+v.ID))
	}
	rejected := complete(midtest.Outcome{Status: mid.VerificationRejected})
	assert.Equal(t, mid.VerificationRejected, rejected.Status)
	assert.Equal(t, "failed", rejected.Checks.FaceMatch)
	assert.NotEmpty(t, rejected.RejectionReason)
	assert.Less(t, *rejected.Confidence, 0.5)

	own := midtest.Outcome{
		Status:          mid.VerificationRejected,
		Confidence:      0.5,
		Checks:          mid.VerificationChecks{LivenessDetection: "failed"},
		ExtractedData:   mid.ExtractedData{FirstName: "Kim"},
		RejectionReason: "A photo of a photo.",
	}
	got := complete(own)
	assert.Equal(t, own.Checks, got.Checks)
	assert.Equal(t, own.ExtractedData, got.ExtractedData)
	assert.Equal(t, own.RejectionReason, got.RejectionReason)
	assert.InDelta(t, 0.5, *got.Confidence, 0)

	v := c.verification("")
	for _, o := range []midtest.Outcome{
		{Status: mid.VerificationProcessing},
		{Status: "lost"},
		{Confidence: 1.5},
		{Confidence: math.NaN()},
		{RejectionReason: "none"},
	} {
		assert.ErrorContains(t, c.srv.CompleteVerification(v.ID, o), "midtest: the outcome")
	}
	require.NoError(t, c.srv.Expire(v.ID))
	got = data[mid.Verification](t, c.get("/identity/verifications/"+v.ID))
	assert.Equal(t, mid.VerificationExpired, got.Status)
	assert.Nil(t, got.Confidence)
	assert.Zero(t, got.ExtractedData)
}

func TestAnEndedVerificationHasNoEstimate(t *testing.T) {
	c := start(t)
	members := func(o midtest.Outcome) []string {
		v := c.verification("")
		require.NoError(t, c.srv.UpdateChecks(v.ID, mid.VerificationChecks{FaceMatch: "passed"}))
		require.NoError(t, c.srv.CompleteVerification(v.ID, o))
		got := data[map[string]any](t, c.get("/identity/verifications/"+v.ID))
		return slices.Collect(maps.Keys(got))
	}
	always := []string{"id", "status", "document_type", "country", "created_at", "completed_at", "metadata"}
	results := append(slices.Clone(always), "confidence", "checks", "extracted_data")
	assert.ElementsMatch(t, results, members(midtest.Outcome{}))
	assert.ElementsMatch(t, append(results, "rejection_reason"), members(midtest.Outcome{Status: mid.VerificationRejected}))
	assert.ElementsMatch(t, always, members(midtest.Outcome{
		Status: mid.VerificationExpired, Confidence: 0.5,
		Checks: mid.VerificationChecks{FaceMatch: "passed"}, ExtractedData: mid.ExtractedData{FirstName: "Kim"},
	}), "an expired one has nothing but its status")
}
