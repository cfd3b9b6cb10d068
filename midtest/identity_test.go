package midtest_test

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

func TestVerificationGetsItsOutcome(t *testing.T) {
	c := start(t)
	v := c.verification("")
	assert.Regexp(t, "^ver_", v.ID)
	assert.Equal(t, mid.VerificationProcessing, v.Status)
	assert.Equal(t, 30*time.Second, v.EstimatedTime)
	assert.Equal(t, mid.VerificationChecks{
		DocumentAuthenticity: "pending", FaceMatch: "pending", LivenessDetection: "pending", DataExtraction: "pending",
	}, v.Checks)
	assert.Nil(t, v.Confidence)

	require.NoError(t, c.srv.CompleteVerification(v.ID, midtest.Outcome{}))
	got := data[mid.Verification](t, c.get("/identity/verifications/"+v.ID))
	assert.Equal(t, mid.VerificationVerified, got.Status)
	assert.Equal(t, "passed", got.Checks.FaceMatch)
	assert.Equal(t, "completed", got.Checks.DataExtraction)
	assert.Equal(t, "Example", got.ExtractedData.LastName)
	assert.Equal(t, "DE", got.ExtractedData.Nationality)
	assert.InDelta(t, 0.98, *got.Confidence, 0)
	assert.Empty(t, got.RejectionReason)
	assert.False(t, got.CompletedAt.IsZero())
	assert.Equal(t, map[string]string{"order": "7"}, got.Metadata)
	assert.Equal(t, []mid.Verification{got}, c.srv.Verifications())

	assert.EqualError(t, c.srv.CompleteVerification(v.ID, midtest.Outcome{}),
		"midtest: verification "+v.ID+" is already verified; start another one to drive")
	assert.ErrorContains(t, c.srv.CompleteVerification("ver_x", midtest.Outcome{}), `there is no verification "ver_x"`)
}

func TestChecksPassOneByOne(t *testing.T) {
	c := start(t)
	v := c.verification("")
	now := func() mid.Verification {
		return data[mid.Verification](t, c.get("/identity/verifications/"+v.ID))
	}
	require.NoError(t, c.srv.UpdateChecks(v.ID, mid.VerificationChecks{DocumentAuthenticity: "passed"}))
	require.NoError(t, c.srv.UpdateChecks(v.ID, mid.VerificationChecks{LivenessDetection: "failed"}))
	require.NoError(t, c.srv.UpdateChecks(v.ID, mid.VerificationChecks{}))
	assert.Equal(t, mid.VerificationProcessing, now().Status)
	assert.Equal(t, mid.VerificationChecks{
		DocumentAuthenticity: "passed", FaceMatch: "pending", LivenessDetection: "failed", DataExtraction: "pending",
	}, now().Checks)

	require.NoError(t, c.srv.CompleteVerification(v.ID, midtest.Outcome{}))
	assert.Equal(t, mid.VerificationChecks{
		DocumentAuthenticity: "passed", FaceMatch: "passed", LivenessDetection: "failed", DataExtraction: "completed",
	}, now().Checks, "what was decided stays")
	assert.EqualError(t, c.srv.UpdateChecks(v.ID, mid.VerificationChecks{FaceMatch: "failed"}),
		"midtest: verification "+v.ID+" is already verified; start another one to drive")
	assert.ErrorContains(t, c.srv.UpdateChecks("ver_x", mid.VerificationChecks{}), `there is no verification "ver_x"`)
}

func TestIdentityDocumentIsMeasured(t *testing.T) {
	c := start(t)
	content := string(make([]byte, 300<<10))
	r := c.upload("/identity/documents", []part{
		{name: "type", content: "national_id"},
		{"file", "card.jpg", "image/jpeg", content},
		{name: "side", content: "back"},
		{name: "country", content: "FR"},
	})
	require.Equal(t, 201, r.status, "%s", r.body)
	doc := data[mid.IdentityDocument](t, r)
	sum := sha256.Sum256([]byte(content))
	assert.Equal(t, hex.EncodeToString(sum[:]), doc.SHA256)
	assert.EqualValues(t, len(content), doc.Size)
	assert.Equal(t, "card.jpg", doc.FileName)
	assert.Equal(t, "image/jpeg", doc.ContentType)
	assert.Equal(t, mid.SideBack, doc.Side)
	assert.Equal(t, "FR", doc.Country)
	assert.Equal(t, mid.DocumentNationalID, doc.Type)
}

func TestIdentityDocumentsAreListed(t *testing.T) {
	c := start(t)
	assert.Empty(t, c.srv.IdentityDocuments())
	first, second := c.document(mid.DocumentPassport, mid.SideFront), c.document(mid.DocumentSelfie, "")
	assert.Equal(t, []mid.IdentityDocument{second, first}, c.srv.IdentityDocuments())
}

func TestVerificationNeedsFittingDocuments(t *testing.T) {
	c := start(t)
	front := c.document(mid.DocumentPassport, "")
	back := c.document(mid.DocumentPassport, mid.SideBack)
	selfie := c.document(mid.DocumentSelfie, "")
	licence := c.document(mid.DocumentDriversLicense, "")
	good := mid.StartVerificationParams{
		DocumentType: mid.DocumentPassport, Country: "DE",
		DocumentFrontID: front.ID, DocumentBackID: back.ID, SelfieID: selfie.ID,
	}
	require.Equal(t, 202, c.post("/identity/verify", good).status)
	for _, tc := range []struct {
		name   string
		change func(*mid.StartVerificationParams)
		fields []string
	}{
		{"unknown", func(p *mid.StartVerificationParams) { p.DocumentFrontID = "doc_x" }, []string{"document_front_id"}},
		{"wrong type", func(p *mid.StartVerificationParams) { p.DocumentFrontID = licence.ID }, []string{"document_front_id"}},
		{"wrong side", func(p *mid.StartVerificationParams) { p.DocumentFrontID = back.ID }, []string{"document_front_id"}},
		{"no selfie", func(p *mid.StartVerificationParams) { p.SelfieID = front.ID }, []string{"selfie_id"}},
		{"no back", func(p *mid.StartVerificationParams) { p.DocumentBackID = selfie.ID }, []string{"document_back_id"}},
		{"selfie as document", func(p *mid.StartVerificationParams) { p.DocumentType = mid.DocumentSelfie },
			[]string{"document_type", "document_front_id", "document_back_id"}},
		{"lower case", func(p *mid.StartVerificationParams) { p.Country = "de" }, []string{"country"}},
		{"empty", func(p *mid.StartVerificationParams) { *p = mid.StartVerificationParams{} },
			[]string{"document_type", "country", "document_front_id", "selfie_id"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c.t = t
			p := good
			tc.change(&p)
			r := c.post("/identity/verify", p)
			assert.Equal(t, 400, r.status)
			assert.Equal(t, tc.fields, fields(r))
		})
	}
	c.t = t
	assert.Equal(t, 404, c.get("/identity/verifications/ver_x").status)
}
