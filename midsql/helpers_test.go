package midsql_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midsql"
)

// TestMain is also the main function of the receivers that the kill test runs
// as processes of their own.
func TestMain(m *testing.M) {
	if os.Getenv(receiverDSN) != "" {
		receive()
		return
	}
	status := m.Run()
	stopPostgres()
	os.Exit(status)
}

const lease = time.Minute

// database is one that a test made, with the store's table and one of the
// application's.
type database struct {
	dialect midsql.Dialect
	driver  string
	dsn     string
}

// forEach runs a test on every database that the package knows.
func forEach(t *testing.T, test func(*testing.T, database)) {
	t.Helper()
	t.Run("postgres", func(t *testing.T) { test(t, newDatabase(t, midsql.Postgres)) })
	t.Run("sqlite", func(t *testing.T) { test(t, newDatabase(t, midsql.SQLite)) })
}

func newDatabase(t *testing.T, dialect midsql.Dialect) database {
	t.Helper()
	d := database{dialect: dialect, driver: "sqlite"}
	if dialect == midsql.Postgres {
		d.driver, d.dsn = "pgx", newPostgres(t)
	} else {
		d.dsn = "file:" + filepath.Join(t.TempDir(), "test.db") + "?_pragma=journal_mode(WAL)&_pragma=busy_timeout(2000)"
	}
	db := d.open(t)
	require.NoError(t, d.store(t, db).Migrate(t.Context()))
	execute(t, db, `CREATE TABLE effects (event VARCHAR(255), step INTEGER)`)
	return d
}

// open returns a pool of connections as another process would have it.
func (d database) open(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open(d.driver, d.dsn)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func (d database) store(t *testing.T, db *sql.DB, opts ...midsql.Option) *midsql.Store {
	t.Helper()
	store, err := midsql.New(db, d.dialect, opts...)
	require.NoError(t, err)
	return store
}

// newEvent is an id that no other test uses.
func newEvent() string { return "evt_" + rand.Text() }

// lasting outlives the test, but does not let it hang.
func lasting(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// claim claims an event that is free, and gives the claim back at the end.
func claim(t *testing.T, store mid.EventStore, id string, lease time.Duration) mid.EventClaim {
	t.Helper()
	c, err := store.Claim(lasting(t), id, lease)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Release(context.Background()) })
	return c
}

// write is what a handler does with a claim: a row in its transaction.
func write(t *testing.T, c mid.EventClaim, id string) {
	t.Helper()
	ctx, err := c.Context(lasting(t))
	require.NoError(t, err)
	tx := midsql.Tx(ctx)
	require.NotNil(t, tx)
	_, err = tx.ExecContext(ctx, `INSERT INTO effects (event, step) VALUES ($1, 1)`, id)
	require.NoError(t, err)
}

func execute(t *testing.T, db *sql.DB, statement string, args ...any) {
	t.Helper()
	_, err := db.ExecContext(lasting(t), statement, args...)
	require.NoError(t, err)
}

// count returns the number that a query selects.
func count(t *testing.T, db *sql.DB, query string, args ...any) (n int) {
	t.Helper()
	require.NoError(t, db.QueryRowContext(lasting(t), query, args...).Scan(&n))
	return n
}

func effects(t *testing.T, db *sql.DB, id string) int {
	t.Helper()
	return count(t, db, `SELECT count(*) FROM effects WHERE event = $1`, id)
}
