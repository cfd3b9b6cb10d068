package midtest_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

func (c *caller) signingNow(id string) mid.SigningSession {
	c.t.Helper()
	return data[mid.SigningSession](c.t, c.get("/signing/sessions/"+id))
}

func TestSigningIsCompletedByTheLastSigner(t *testing.T) {
	c := start(t)
	session := c.signing("")
	assert.Regexp(t, "^sig_", session.ID)
	assert.Equal(t, mid.SigningPending, session.Status)
	assert.True(t, session.RequireBiometric)
	assert.Equal(t, 72*time.Hour, session.ExpiresAt.Sub(session.CreatedAt))
	require.Len(t, session.Signers, 2)
	assert.Equal(t, mid.SignerAwaiting, session.Signers[0].Status)
	assert.NotEqual(t, session.Signers[0].SignURL, session.Signers[1].SignURL)

	require.NoError(t, c.srv.Sign(session.ID, "ADA@example.com"))
	got := c.signingNow(session.ID)
	assert.Equal(t, mid.SigningPending, got.Status)
	assert.Equal(t, mid.SignerSigned, got.Signers[0].Status)
	assert.Equal(t, "192.0.2.1", got.Signers[0].IPAddress)
	assert.True(t, got.Signers[0].BiometricVerified)
	assert.False(t, got.Signers[0].SignedAt.IsZero())
	assert.Equal(t, session.Signers[1], got.Signers[1])
	assert.EqualError(t, c.srv.Sign(session.ID, "ada@example.com"),
		"midtest: signer ada@example.com of session "+session.ID+" is already signed; give another signer")
	assert.EqualError(t, c.srv.Sign(session.ID, "eve@example.com"),
		"midtest: session "+session.ID+` has no signer "eve@example.com"; its Signers list the addresses`)

	require.NoError(t, c.srv.Sign(session.ID, "bob@example.com"))
	got = c.signingNow(session.ID)
	assert.Equal(t, mid.SigningCompleted, got.Status)
	assert.False(t, got.CompletedAt.IsZero())
	assert.EqualError(t, c.srv.Decline(session.ID, "bob@example.com"),
		"midtest: session "+session.ID+" is already completed; create another one to drive")
	assert.Equal(t, []mid.SigningSession{got}, c.srv.SigningSessions())
}

func TestSignersWithOneAddress(t *testing.T) {
	c := start(t)
	ask := func() mid.SigningSession {
		r := c.post("/signing/sessions", mid.CreateSigningSessionParams{
			DocumentIDs: []string{c.contract().ID},
			Signers: []mid.SignerParams{
				{Name: "Ada", Email: "office@example.com"}, {Name: "Bob", Email: "office@example.com"}, {Name: "Eve", Email: "office@example.com"},
			},
		})
		require.Equal(t, 201, r.status, "%s", r.body)
		return data[mid.SigningSession](t, r)
	}
	statuses := func(id string) (all []mid.SignerStatus) {
		for _, signer := range c.signingNow(id).Signers {
			all = append(all, signer.Status)
		}
		return all
	}
	session := ask()
	require.NoError(t, c.srv.Sign(session.ID, session.Signers[1].SignURL))
	assert.Equal(t, []mid.SignerStatus{mid.SignerAwaiting, mid.SignerSigned, mid.SignerAwaiting}, statuses(session.ID), "the link tells them apart")
	require.ErrorContains(t, c.srv.Sign(session.ID, session.Signers[1].SignURL), "is already signed")
	require.NoError(t, c.srv.Sign(session.ID, "office@example.com"))
	assert.Equal(t, []mid.SignerStatus{mid.SignerSigned, mid.SignerSigned, mid.SignerAwaiting}, statuses(session.ID), "the first who awaits")
	require.NoError(t, c.srv.Sign(session.ID, "office@example.com"))
	assert.Equal(t, mid.SigningCompleted, c.signingNow(session.ID).Status)

	other := ask()
	require.ErrorContains(t, c.srv.Decline(other.ID, session.Signers[2].SignURL), "has no signer")
	require.NoError(t, c.srv.Decline(other.ID, other.Signers[2].SignURL))
	assert.Equal(t, []mid.SignerStatus{mid.SignerAwaiting, mid.SignerAwaiting, mid.SignerDeclined}, statuses(other.ID))
}

func TestSigningIsDeclinedByOne(t *testing.T) {
	c := start(t)
	session := c.signing("")
	require.NoError(t, c.srv.Decline(session.ID, "bob@example.com"))
	got := c.signingNow(session.ID)
	assert.Equal(t, mid.SigningDeclined, got.Status)
	assert.Equal(t, mid.SignerDeclined, got.Signers[1].Status)
	assert.Equal(t, mid.SignerAwaiting, got.Signers[0].Status)
	assert.ErrorContains(t, c.srv.Sign("sig_x", "a@example.com"), `there is no signing session "sig_x"`)
}

func TestSigningExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := start(t, midtest.WithInMemory(), midtest.WithTokenLifetime(100*time.Hour))
		session, other := c.signing(""), c.signing("")
		require.NoError(t, c.srv.Expire(other.ID))
		assert.Equal(t, mid.SigningExpired, c.signingNow(other.ID).Status)
		require.ErrorContains(t, c.srv.Expire(other.ID), "is already expired")
		time.Sleep(72*time.Hour - 1)
		assert.Equal(t, mid.SigningPending, c.signingNow(session.ID).Status)
		time.Sleep(1)
		assert.Equal(t, mid.SigningExpired, c.signingNow(session.ID).Status)
	})
}

func TestSigningOptions(t *testing.T) {
	c := start(t)
	doc := c.contract()
	assert.Equal(t, "lease.pdf", doc.Name)
	r := c.post("/signing/sessions", mid.CreateSigningSessionParams{
		DocumentIDs:      []string{doc.ID},
		Signers:          []mid.SignerParams{{Name: "Ada", Email: "ada@example.com"}},
		ExpiresIn:        5 * time.Hour,
		RequireBiometric: new(false),
	})
	require.Equal(t, 201, r.status, "%s", r.body)
	session := data[mid.SigningSession](t, r)
	for text, lifetime := range map[string]time.Duration{ // JSON's whole numbers
		"1": time.Hour, "1.0": time.Hour, "1e1": 10 * time.Hour, "5.000": 5 * time.Hour,
	} {
		r := c.post("/signing/sessions", fmt.Sprintf(`{"document_ids":[%q],"signers":[{"name":"Ada","email":"ada@example.com"}],"expires_in":%s}`, doc.ID, text))
		require.Equal(t, 201, r.status, "%s", r.body)
		other := data[mid.SigningSession](t, r)
		assert.Equal(t, lifetime, other.ExpiresAt.Sub(other.CreatedAt), text)
	}
	assert.Equal(t, 5*time.Hour, session.ExpiresAt.Sub(session.CreatedAt))
	assert.False(t, session.RequireBiometric)
	require.NoError(t, c.srv.Sign(session.ID, "ada@example.com"))
	assert.False(t, c.signingNow(session.ID).Signers[0].BiometricVerified)
}

func TestInvalidSigningRequests(t *testing.T) {
	c := start(t)
	doc := c.contract().ID
	const ada = `[{"name":"Ada","email":"ada@example.com"}]`
	for _, tc := range []struct {
		name, body string
		fields     []string
	}{
		{"empty", `{}`, []string{"document_ids", "signers"}},
		{"wrong type", `{"document_ids":"doc"}`, []string{"document_ids", "signers"}},
		{"wrong type inside", `{"signers":[{"email":7}]}`, []string{"document_ids", "signers[0].name", "signers[0].email"}},
		{"unknown document", `{"document_ids":["doc_x"],"signers":` + ada + `}`, []string{"document_ids[0]"}},
		{"signers", fmt.Sprintf(`{"document_ids":[%q],"signers":[{"name":"Ada","email":"Ada <a@example.com>"},{}]}`, doc),
			[]string{"signers[0].email", "signers[1].name", "signers[1].email"}},
		{"no hours", fmt.Sprintf(`{"document_ids":[%q],"signers":%s,"expires_in":0}`, doc, ada), []string{"expires_in"}},
		{"many hours", fmt.Sprintf(`{"document_ids":[%q],"signers":%s,"expires_in":9000000000}`, doc, ada), []string{"expires_in"}},
		{"half an hour", fmt.Sprintf(`{"document_ids":[%q],"signers":%s,"expires_in":0.5}`, doc, ada), []string{"expires_in"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c.t = t
			r := c.post("/signing/sessions", tc.body)
			assert.Equal(t, 400, r.status)
			assert.Equal(t, tc.fields, fields(r))
		})
	}
	c.t = t
	assert.Equal(t, 404, c.get("/signing/sessions/sig_x").status)
}

func TestSigningDocumentsAreListed(t *testing.T) {
	c := start(t)
	first, second := c.contract(), c.contract()
	assert.Equal(t, []mid.SigningDocument{second, first}, c.srv.SigningDocuments())
}
