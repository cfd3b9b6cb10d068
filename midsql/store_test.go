package midsql_test

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midsql"
)

// The exported names, as their users have them.
var (
	_ mid.EventStore                                                         = (*midsql.Store)(nil)
	_ func(*sql.DB, midsql.Dialect, ...midsql.Option) (*midsql.Store, error) = midsql.New
	_ func(time.Duration) midsql.Option                                      = midsql.WithRetention
	_ func(context.Context) *sql.Tx                                          = midsql.Tx
	_ func(*midsql.Store, context.Context) error                             = (*midsql.Store).Migrate
	_ func(midsql.Dialect) string                                            = midsql.Dialect.Schema
)

func TestNewRefusesWhatIsInvalid(t *testing.T) {
	db, err := sql.Open("sqlite", ":memory:")
	require.NoError(t, err)
	defer db.Close()
	for name, c := range map[string]struct {
		db      *sql.DB
		dialect midsql.Dialect
		opt     midsql.Option
		field   string
	}{
		"no database":        {nil, midsql.SQLite, nil, "midsql.New db"},
		"no dialect":         {db, "", nil, "midsql.New dialect"},
		"another dialect":    {db, "oracle", nil, "midsql.New dialect"},
		"no retention":       {db, midsql.SQLite, midsql.WithRetention(0), "midsql.WithRetention"},
		"negative retention": {db, midsql.SQLite, midsql.WithRetention(-time.Hour), "midsql.WithRetention"},
	} {
		t.Run(name, func(t *testing.T) {
			store, err := midsql.New(c.db, c.dialect, c.opt)
			var invalid *mid.ValidationError
			require.ErrorAs(t, err, &invalid)
			assert.Equal(t, c.field, invalid.Field)
			assert.Nil(t, store)
		})
	}
}

func TestMigrateByManyProcesses(t *testing.T) {
	forEach(t, func(t *testing.T, d database) {
		execute(t, d.open(t), `DROP TABLE mid_events`)
		var all sync.WaitGroup
		for range 8 {
			store := d.store(t, d.open(t))
			all.Go(func() { assert.NoError(t, store.Migrate(lasting(t))) })
		}
		all.Wait()
		require.NoError(t, claim(t, d.store(t, d.open(t)), newEvent(), lease).Done(lasting(t)))
	})
}

func TestClaimWithoutTheTable(t *testing.T) {
	forEach(t, func(t *testing.T, d database) {
		db, id := d.open(t), newEvent()
		store := d.store(t, db)
		execute(t, db, `DROP TABLE mid_events`)
		_, err := store.Claim(lasting(t), id, lease)
		require.ErrorContains(t, err, "mid: claiming the webhook event: ")
		require.ErrorContains(t, err, "mid_events")
		require.NoError(t, store.Migrate(lasting(t)))
		require.NoError(t, claim(t, store, id, lease).Done(lasting(t)))
	})
}

func TestClaimNeedsTheDocumentedRightsOnly(t *testing.T) {
	d := newDatabase(t, midsql.Postgres)
	admin, db, id := d.open(t), d.open(t), newEvent()
	db.SetMaxOpenConns(1) // the one that has the role
	execute(t, admin, `CREATE ROLE receiver`)
	t.Cleanup(func() { execute(t, admin, `DROP OWNED BY receiver`); execute(t, admin, `DROP ROLE receiver`) })
	execute(t, admin, `GRANT SELECT, INSERT, UPDATE, DELETE ON mid_events TO receiver`)
	execute(t, db, `SET ROLE receiver`)
	store := d.store(t, db)
	require.NoError(t, claim(t, store, id, lease).Done(lasting(t)))
	_, err := store.Claim(lasting(t), id, lease)
	require.ErrorIs(t, err, mid.ErrEventHandled)
}

// The ctx lives longer than the test would wait, so an error that is in hand was
// found without waiting.
func TestClaimInHandDoesNotWait(t *testing.T) {
	forEach(t, func(t *testing.T, d database) {
		db, id := d.open(t), newEvent()
		db.SetMaxOpenConns(1) // the claim has it
		store := d.store(t, db)
		first := claim(t, store, id, lease)
		for range 3 {
			_, err := store.Claim(lasting(t), id, lease)
			require.ErrorIs(t, err, mid.ErrEventInHand)
		}
		if d.dialect == midsql.Postgres {
			_, err := d.store(t, d.open(t)).Claim(lasting(t), id, lease)
			require.ErrorIs(t, err, mid.ErrEventInHand, "another process")
		}
		require.NoError(t, first.Release(lasting(t)))
		require.NoError(t, claim(t, store, id, lease).Done(lasting(t)))
	})
}

func TestOneOfManyGetsTheEvent(t *testing.T) {
	forEach(t, func(t *testing.T, d database) {
		stores := []mid.EventStore{d.store(t, d.open(t))}
		if d.dialect == midsql.Postgres { // SQLite's other processes wait
			stores = append(stores, d.store(t, d.open(t)), d.store(t, d.open(t)))
		}
		for range 5 {
			id := newEvent()
			var won atomic.Pointer[mid.EventClaim]
			var wins atomic.Int64
			var all sync.WaitGroup
			for i := range 12 {
				all.Go(func() {
					c, err := stores[i%len(stores)].Claim(lasting(t), id, lease)
					if err == nil {
						won.Store(&c)
						wins.Add(1)
						return
					}
					assert.ErrorIs(t, err, mid.ErrEventInHand)
				})
			}
			all.Wait()
			require.Equal(t, int64(1), wins.Load())
			require.NoError(t, (*won.Load()).Done(lasting(t)))
		}
	})
}

func TestManyRedeliveriesOfAHandledEvent(t *testing.T) {
	forEach(t, func(t *testing.T, d database) {
		id := newEvent()
		store := d.store(t, d.open(t))
		require.NoError(t, claim(t, store, id, lease).Done(lasting(t)))
		stores := []mid.EventStore{d.store(t, d.open(t)), d.store(t, d.open(t)), d.store(t, d.open(t))}
		var all sync.WaitGroup
		for _, s := range stores {
			all.Go(func() {
				_, err := s.Claim(lasting(t), id, lease)
				assert.ErrorIs(t, err, mid.ErrEventHandled)
			})
		}
		all.Wait()
	})
}

func TestOtherEventsOnPostgresDoNotWait(t *testing.T) {
	d := newDatabase(t, midsql.Postgres)
	store := d.store(t, d.open(t))
	first, second := newEvent(), newEvent()
	a, b := claim(t, store, first, lease), claim(t, store, second, lease)
	write(t, a, first)
	write(t, b, second)
	require.NoError(t, b.Done(lasting(t)))
	require.NoError(t, a.Done(lasting(t)))
}

func TestOtherEventsOnSQLiteWaitTheirTurn(t *testing.T) {
	d := newDatabase(t, midsql.SQLite)
	db := d.open(t)
	store := d.store(t, db)
	first, second := newEvent(), newEvent()
	a := claim(t, store, first, lease)

	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	for _, other := range []mid.EventStore{store, d.store(t, d.open(t))} { // this process and another
		_, err := other.Claim(short, second, lease)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	}

	waiting := make(chan error)
	go func() {
		b, err := store.Claim(lasting(t), second, lease)
		if err == nil {
			err = b.Done(lasting(t))
		}
		waiting <- err
	}()
	write(t, a, first)
	require.NoError(t, a.Done(lasting(t)))
	require.NoError(t, <-waiting)
	assert.Equal(t, 2, count(t, db, `SELECT count(*) FROM mid_events`))
}

func TestClaimWithAnEndedContext(t *testing.T) {
	forEach(t, func(t *testing.T, d database) {
		id := newEvent()
		store := d.store(t, d.open(t))
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := store.Claim(ended, id, lease)
		require.ErrorIs(t, err, context.Canceled)
		require.NoError(t, claim(t, store, id, lease).Done(lasting(t)), "the failed claim left nothing behind")
	})
}

func TestBrokenConnectionDropsTheClaim(t *testing.T) {
	d := newDatabase(t, midsql.Postgres)
	db, id := d.open(t), newEvent()
	store := d.store(t, db)
	c := claim(t, store, id, lease)
	write(t, c, id)
	killConnections(t, d)

	require.Error(t, c.Done(lasting(t)))
	require.NoError(t, c.Release(lasting(t)))
	next := claim(t, store, id, lease)
	assert.Zero(t, effects(t, db, id))
	write(t, next, id)
	require.NoError(t, next.Done(lasting(t)))
	assert.Equal(t, 1, effects(t, db, id))
}

// A restart of the server leaves dead connections in the pool, and the driver
// has not noticed yet.
func TestClaimFindsAConnectionThatLives(t *testing.T) {
	d := newDatabase(t, midsql.Postgres)
	db := d.open(t)
	store := d.store(t, db)
	idle := []mid.EventClaim{claim(t, store, newEvent(), lease), claim(t, store, newEvent(), lease)}
	for _, c := range idle {
		require.NoError(t, c.Release(lasting(t)))
	}
	require.Equal(t, len(idle), db.Stats().Idle)
	killConnections(t, d)
	require.NoError(t, claim(t, store, newEvent(), lease).Done(lasting(t)))
}

// killConnections ends all connections to a database but its own.
func killConnections(t *testing.T, d database) {
	t.Helper()
	db := d.open(t)
	const others = `FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`
	execute(t, db, `SELECT pg_terminate_backend(pid) `+others)
	require.Eventually(t, func() bool { return count(t, db, `SELECT count(*) `+others) == 0 }, 10*time.Second, 5*time.Millisecond)
}

func TestOldEventsAreForgotten(t *testing.T) {
	old := map[midsql.Dialect]string{
		midsql.Postgres: `INSERT INTO mid_events (id, claimed_at) SELECT 'old ' || i, now() - interval '2 hours' FROM generate_series(1, 25) AS i`,
		midsql.SQLite: `INSERT INTO mid_events (id, claimed_at) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 25)
			SELECT 'old ' || i, strftime('%s', 'now', '-2 hours') + 0 FROM n`,
	}
	forEach(t, func(t *testing.T, d database) {
		db := d.open(t)
		store := d.store(t, db, midsql.WithRetention(time.Hour))
		recent := newEvent()
		require.NoError(t, claim(t, store, recent, lease).Done(lasting(t)))
		execute(t, db, old[d.dialect])
		_, err := store.Claim(lasting(t), "old 25", lease)
		require.ErrorIs(t, err, mid.ErrEventHandled, "until it is deleted, an old event is known")

		left := func() int { return count(t, db, `SELECT count(*) FROM mid_events WHERE id LIKE 'old %'`) }
		for _, want := range []int{15, 5, 0, 0} { // a claim's work is bounded
			require.NoError(t, claim(t, store, newEvent(), lease).Done(lasting(t)))
			assert.Equal(t, want, left())
		}
		_, err = store.Claim(lasting(t), recent, lease)
		require.ErrorIs(t, err, mid.ErrEventHandled)
	})
}

// Claims that live at the same time delete different rows.
func TestPruningWaitsForNoOtherClaim(t *testing.T) {
	d := newDatabase(t, midsql.Postgres)
	db := d.open(t)
	store := d.store(t, db, midsql.WithRetention(time.Hour))
	execute(t, db, `INSERT INTO mid_events (id, claimed_at) SELECT i, now() - interval '2 hours' FROM generate_series(1, 20) AS i`)
	a, b := claim(t, store, newEvent(), lease), claim(t, store, newEvent(), lease)
	require.NoError(t, a.Done(lasting(t)))
	require.NoError(t, b.Done(lasting(t)))
	assert.Equal(t, 2, count(t, db, `SELECT count(*) FROM mid_events`))
}

// The settings of a claim are those of its transaction, and the pool's
// connections are as they were.
func TestClaimLeavesItsConnectionAsItWas(t *testing.T) {
	d := newDatabase(t, midsql.Postgres)
	db := d.open(t)
	db.SetMaxOpenConns(1)
	shown := func(q interface {
		QueryRowContext(context.Context, string, ...any) *sql.Row
	}) (idle string) {
		require.NoError(t, q.QueryRowContext(lasting(t), `SHOW idle_in_transaction_session_timeout`).Scan(&idle))
		return idle
	}
	before := shown(db)
	c := claim(t, d.store(t, db), newEvent(), lease)
	ctx, err := c.Context(lasting(t))
	require.NoError(t, err)
	assert.NotEqual(t, before, shown(midsql.Tx(ctx)))
	require.NoError(t, c.Done(lasting(t)))
	assert.Equal(t, before, shown(db))
}

func TestAnyIDIsStored(t *testing.T) {
	ids := []string{
		"evt\x00", "evt\x00\x00", "evt\xff", "evt\xfe", "evt", "EVT", "evt ", " evt", "Zoë", "Zoe\u0308", `'"\%_;--?$1:a@b`,
		strings.Repeat("x", 255), strings.Repeat("x", 256), strings.Repeat("x", 257), strings.Repeat("x", 1<<20),
		"sha256:" + strings.Repeat("0", 64), "sha256:", strconv.Itoa(1), "01",
	}
	forEach(t, func(t *testing.T, d database) {
		db := d.open(t)
		store := d.store(t, db)
		for _, id := range ids {
			require.NoError(t, claim(t, store, id, lease).Done(lasting(t)))
		}
		for _, id := range ids {
			_, err := store.Claim(lasting(t), id, lease)
			require.ErrorIs(t, err, mid.ErrEventHandled)
		}
		assert.Equal(t, len(ids), count(t, db, `SELECT count(*) FROM mid_events`))
		assert.Equal(t, 1, count(t, db, `SELECT count(*) FROM mid_events WHERE id = 'evt'`), "a usual id can be looked up")
	})
}
