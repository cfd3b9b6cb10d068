package midsql

import (
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/mobid-io/mid-go"
)

// The timer of a busy machine may be late: Done does not rely on it.
func TestDoneLooksAtTheLeaseItself(t *testing.T) {
	db, err := sql.Open("sqlite", "file:"+t.TempDir()+"/test.db")
	require.NoError(t, err)
	defer db.Close()
	store, err := New(db, SQLite)
	require.NoError(t, err)
	require.NoError(t, store.Migrate(t.Context()))
	c, err := store.Claim(t.Context(), "evt_1", time.Minute)
	require.NoError(t, err)
	c.(*claim).lapse = time.Now()
	require.ErrorIs(t, c.Done(t.Context()), mid.ErrClaimLost)
	next, err := store.Claim(t.Context(), "evt_1", time.Minute)
	require.NoError(t, err)
	require.NoError(t, next.Done(t.Context()))
}
