package midtest_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

// What a test does to what it was given does not change the server.
func TestSnapshotsAreCopies(t *testing.T) {
	c := start(t)
	metadata := map[string]string{"order": "7"}
	require.Equal(t, 201, c.post("/auth/sessions", mid.CreateAuthSessionParams{Intent: mid.IntentLogin, Metadata: metadata}).status)
	require.NoError(t, c.srv.CompleteVerification(c.verification("").ID, midtest.Outcome{Confidence: 0.5}))
	require.Equal(t, 201, c.post("/signing/sessions", mid.CreateSigningSessionParams{
		DocumentIDs: []string{c.contract().ID},
		Signers:     []mid.SignerParams{{Name: "Ada", Email: "ada@example.com"}},
		Metadata:    metadata,
	}).status)

	auth, verification, signing := c.srv.AuthSessions()[0], c.srv.Verifications()[0], c.srv.SigningSessions()[0]
	documents := signing.DocumentIDs[0]
	for _, m := range []map[string]string{auth.Metadata, verification.Metadata, signing.Metadata} {
		require.Equal(t, metadata, m)
		m["order"] = "8"
	}
	*verification.Confidence = 0.75
	signing.DocumentIDs[0], signing.Signers[0].Name = "doc_x", "Eve"

	assert.Equal(t, metadata, c.srv.AuthSessions()[0].Metadata)
	assert.Equal(t, metadata, c.srv.Verifications()[0].Metadata)
	assert.InDelta(t, 0.5, *c.srv.Verifications()[0].Confidence, 0)
	got := c.srv.SigningSessions()[0]
	assert.Equal(t, metadata, got.Metadata)
	assert.Equal(t, []string{documents}, got.DocumentIDs)
	assert.Equal(t, "Ada", got.Signers[0].Name)
}

// Of the tests in bubbles, these leave the client and multipart out, which need
// random numbers of their own.
func TestBubblesInTheStrictModeOfFIPS140(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.v", "-test.run=^(TestAuthSessionExpires|TestTokens|TestQuota|TestClientVerifiesEvents)$")
	cmd.Env = append(os.Environ(), "GODEBUG=fips140=only")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), "--- PASS: TestClientVerifiesEvents")
}
