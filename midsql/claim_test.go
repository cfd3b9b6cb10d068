package midsql_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midsql"
)

func TestTxOutsideOfAHandler(t *testing.T) {
	assert.Nil(t, midsql.Tx(t.Context()))
}

func TestDoneCommitsTheMarkWithTheWrites(t *testing.T) {
	forEach(t, func(t *testing.T, d database) {
		db, id := d.open(t), newEvent()
		store := d.store(t, db)
		c := claim(t, store, id, lease)
		write(t, c, id)
		assert.Zero(t, effects(t, db, id), "before Done, the write is visible to others")

		require.NoError(t, c.Done(lasting(t)))
		assert.Equal(t, 1, effects(t, db, id))
		require.NoError(t, c.Done(lasting(t)), "Done again")
		require.NoError(t, c.Release(lasting(t)), "Release after Done")
		for _, s := range []mid.EventStore{store, d.store(t, d.open(t))} {
			_, err := s.Claim(lasting(t), id, lease)
			require.ErrorIs(t, err, mid.ErrEventHandled)
		}
		assert.Equal(t, 1, effects(t, db, id))
	})
}

func TestReleaseTakesBackTheWrites(t *testing.T) {
	forEach(t, func(t *testing.T, d database) {
		db, id := d.open(t), newEvent()
		store := d.store(t, db)
		c := claim(t, store, id, lease)
		write(t, c, id)
		require.NoError(t, c.Release(lasting(t)))
		require.NoError(t, c.Release(lasting(t)), "Release again")
		require.ErrorIs(t, c.Done(lasting(t)), mid.ErrClaimLost)
		assert.Zero(t, effects(t, db, id))

		next := claim(t, store, id, lease)
		require.NoError(t, c.Release(lasting(t)), "Release leaves the successor")
		write(t, next, id)
		require.NoError(t, next.Done(lasting(t)))
		assert.Equal(t, 1, effects(t, db, id))
	})
}

func TestClaimSettlesNothingAfterItsLease(t *testing.T) {
	forEach(t, func(t *testing.T, d database) {
		db, id := d.open(t), newEvent()
		store := d.store(t, db)
		lapsed := claim(t, store, id, time.Second)
		write(t, lapsed, id)
		// Another process gets the event although this one settles nothing.
		other := d.store(t, d.open(t))
		var next mid.EventClaim
		require.Eventually(t, func() bool {
			var err error
			next, err = other.Claim(lasting(t), id, lease)
			return err == nil
		}, 20*time.Second, 10*time.Millisecond)
		require.ErrorIs(t, lapsed.Done(lasting(t)), mid.ErrClaimLost)
		require.NoError(t, lapsed.Release(lasting(t)))
		write(t, next, id)
		require.NoError(t, next.Done(lasting(t)))
		require.ErrorIs(t, lapsed.Done(lasting(t)), mid.ErrClaimLost)
		assert.Equal(t, 1, effects(t, db, id))
	})
}

// A claim that has lapsed commits nothing even if it is the event's only one.
func TestDoneAfterTheLeaseRollsBack(t *testing.T) {
	forEach(t, func(t *testing.T, d database) {
		db, id := d.open(t), newEvent()
		store := d.store(t, db)
		const short = 300 * time.Millisecond
		c := claim(t, store, id, short)
		time.Sleep(short) // the lease is the database's too, which has no fake clock
		require.ErrorIs(t, c.Done(lasting(t)), mid.ErrClaimLost)
		require.NoError(t, claim(t, store, id, lease).Done(lasting(t)))
		assert.Equal(t, 1, count(t, db, `SELECT count(*) FROM mid_events WHERE id = $1`, id))
	})
}

// The ctx of the request ends, and that of Claim too: a transaction that began
// in either would be rolled back before Done.
func TestClaimOutlivesTheContexts(t *testing.T) {
	forEach(t, func(t *testing.T, d database) {
		db, id := d.open(t), newEvent()
		claimCtx, cancelClaim := context.WithCancel(t.Context())
		c, err := d.store(t, db).Claim(claimCtx, id, lease)
		require.NoError(t, err)
		cancelClaim()

		request, cancelRequest := context.WithCancel(t.Context())
		ctx, err := c.Context(request)
		require.NoError(t, err)
		_, err = midsql.Tx(ctx).ExecContext(ctx, `INSERT INTO effects (event, step) VALUES ($1, 1)`, id)
		require.NoError(t, err)
		cancelRequest()
		require.Error(t, ctx.Err(), "the handler's ctx ends with the request")

		require.NoError(t, c.Done(lasting(t)))
		assert.Equal(t, 1, effects(t, db, id))
	})
}

func TestDoneWithoutTime(t *testing.T) {
	forEach(t, func(t *testing.T, d database) {
		db, id := d.open(t), newEvent()
		store := d.store(t, db)
		c := claim(t, store, id, lease)
		write(t, c, id)
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, c.Done(ended), context.Canceled)
		require.NoError(t, c.Release(ended), "Release works when its ctx has ended")
		require.NoError(t, claim(t, store, id, lease).Release(lasting(t)))
		assert.Zero(t, effects(t, db, id))
	})
}

// A handler that ends the transaction itself has broken the store's promise, and
// the event comes again.
func TestHandlerEndsTheTransaction(t *testing.T) {
	forEach(t, func(t *testing.T, d database) {
		id := newEvent()
		store := d.store(t, d.open(t))
		c := claim(t, store, id, lease)
		ctx, err := c.Context(lasting(t))
		require.NoError(t, err)
		require.NoError(t, midsql.Tx(ctx).Rollback())
		require.ErrorContains(t, c.Done(lasting(t)), "the event's handler has ended the transaction")
		require.NoError(t, c.Release(lasting(t)))
		require.NoError(t, claim(t, store, id, lease).Done(lasting(t)))
	})
}

// PostgreSQL rolls back a transaction in which a statement has failed, whatever
// the handler makes of the error.
func TestHandlerHidesAFailedStatement(t *testing.T) {
	d := newDatabase(t, midsql.Postgres)
	db, id := d.open(t), newEvent()
	store := d.store(t, db)
	c := claim(t, store, id, lease)
	write(t, c, id)
	ctx, err := c.Context(lasting(t))
	require.NoError(t, err)
	_, err = midsql.Tx(ctx).ExecContext(ctx, `INSERT INTO no_such_table VALUES (1)`)
	require.Error(t, err)
	require.Error(t, c.Done(lasting(t)))
	assert.Zero(t, effects(t, db, id))
	require.NoError(t, claim(t, store, id, lease).Done(lasting(t)))
}
