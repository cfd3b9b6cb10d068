package midtest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

func TestDrivingErrorsSayWhatToDo(t *testing.T) {
	c := start(t)
	s := c.session("")
	require.NoError(t, c.srv.Scan(s.ID))
	assert.EqualError(t, c.srv.Scan(s.ID), "midtest: session "+s.ID+" is already scanned; go on with Approve, Reject or Expire")
	require.NoError(t, c.srv.Reject(s.ID))
	assert.Equal(t, mid.AuthRejected, c.status(s.ID))
	for _, err := range []error{c.srv.Scan(s.ID), c.srv.Approve(s.ID, ""), c.srv.Reject(s.ID), c.srv.Expire(s.ID)} {
		assert.EqualError(t, err, "midtest: session "+s.ID+" is already rejected; create another one to drive")
	}
	for _, err := range []error{c.srv.Scan("sess_x"), c.srv.Approve("sess_x", ""), c.srv.Reject("sess_x")} {
		assert.EqualError(t, err, `midtest: there is no authentication session "sess_x"; AuthSessions lists those of this server`)
	}
	assert.EqualError(t, c.srv.Expire("sess_x"), `midtest: there is no authentication session, verification or signing session "sess_x"; `+
		`AuthSessions, Verifications and SigningSessions list those of this server`)
	other := c.session("")
	require.NoError(t, c.srv.Expire(other.ID))
	assert.Equal(t, mid.AuthExpired, c.status(other.ID))
	assert.Equal(t, other.ID, c.srv.AuthSessions()[0].ID, "the newest first")
}
