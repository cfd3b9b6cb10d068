package midtest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

func TestAutoComplete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := start(t, midtest.WithInMemory(), midtest.WithAutoComplete(10*time.Second))
		session, rejected := c.session(""), c.session("")
		verification, signing := c.verification(""), c.signing("")
		require.NoError(t, c.srv.Reject(rejected.ID), "what the test does goes first")

		time.Sleep(5 * time.Second)
		synctest.Wait()
		assert.Equal(t, mid.AuthScanned, c.status(session.ID))
		assert.Equal(t, mid.VerificationProcessing, c.srv.Verifications()[0].Status)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		assert.Equal(t, mid.AuthApproved, c.status(session.ID))
		assert.Equal(t, mid.AuthRejected, c.status(rejected.ID))
		assert.Equal(t, mid.VerificationVerified, data[mid.Verification](t, c.get("/identity/verifications/"+verification.ID)).Status)
		signers := c.signingNow(signing.ID).Signers
		assert.Equal(t, mid.SignerSigned, signers[0].Status)
		assert.Equal(t, mid.SignerAwaiting, signers[1].Status, "one after the other")
		time.Sleep(10 * time.Second)
		synctest.Wait()
		assert.Equal(t, mid.SigningCompleted, c.signingNow(signing.ID).Status)
	})
}
