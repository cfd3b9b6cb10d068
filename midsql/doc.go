// Package midsql keeps the webhook events that were handled in the
// application's own SQL database, in the transaction that the event's handler
// writes in. The event's mark and the handler's writes are committed together,
// or neither is: whatever dies in between, each event has its effect in the
// database exactly once.
//
//	store, err := midsql.New(db, midsql.Postgres)
//	…
//	hooks, err := mid.NewWebhookService(mid.WebhookConfig{Secrets: secrets, Store: store})
//	…
//	http.Handle("POST /mid/events", hooks.Handler(mid.EventHandlers{
//		VerificationCompleted: func(ctx context.Context, _ *mid.Event, v *mid.Verification) error {
//			_, err := midsql.Tx(ctx).ExecContext(ctx,
//				`UPDATE customers SET verification_status = $1 WHERE verification_id = $2`, v.Status, v.ID)
//			return err
//		},
//	}))
//
// [Tx] returns the transaction. A handler that returns nil has it committed; an
// error, a panic or the end of the lease rolls it back, and MID delivers the
// event again. The package uses database/sql only and works with any driver of
// PostgreSQL or SQLite. It is tested with github.com/jackc/pgx/v5/stdlib and
// modernc.org/sqlite.
//
// # When it is enough
//
// It is, if a handler only writes rows of this database. Where it also sends
// mail or calls another service, the transaction can't take that back: an event
// whose handler fails later comes again. Write a row that says what to send, and
// send it from there. A handler may ask MID, but it holds a connection meanwhile,
// and on SQLite the database. Ask before the first write, so that no row stays
// locked.
//
// A receiver of one process that may forget its events at a restart needs none
// of this: the SDK then keeps them in memory. Receivers without an SQL database
// need another store that they share, such as one in Redis.
//
// # The table
//
// [Store.Migrate] creates it, or a migration tool does with these statements,
// which [Dialect.Schema] returns. For PostgreSQL:
//
//	CREATE TABLE IF NOT EXISTS mid_events (
//	    id         text COLLATE "C" PRIMARY KEY,
//	    claimed_at timestamptz NOT NULL DEFAULT now()
//	);
//	CREATE INDEX IF NOT EXISTS mid_events_claimed_at ON mid_events (claimed_at);
//
// For SQLite:
//
//	CREATE TABLE IF NOT EXISTS mid_events (
//	    id         TEXT PRIMARY KEY,
//	    claimed_at INTEGER NOT NULL DEFAULT (CAST(strftime('%s', 'now') AS INTEGER)) -- Unix seconds
//	);
//	CREATE INDEX IF NOT EXISTS mid_events_claimed_at ON mid_events (claimed_at);
//
// The table is found through the connection's search_path. The role of the
// receiver needs SELECT, INSERT, UPDATE and DELETE on it; UPDATE only for locks
// of rows. An id that is longer than 255
// bytes, or is not printable ASCII, is stored as its SHA-256. Rows older than 7
// days, or [WithRetention], are deleted by later claims, ten at most by each.
//
// # PostgreSQL
//
// A claim holds an advisory lock of the transaction (pg_try_advisory_xact_lock)
// on a 64-bit hash of the event's id. Another delivery of the event finds it in
// hand without waiting, and other events are handled at the same time. The
// isolation level is read committed. A process that dies drops its claim with
// its connections. For a machine that hangs or loses its network, the claim sets
// idle_in_transaction_session_timeout to the lease, within its transaction: the
// server ends the claim when it has heard nothing of it for so long. PgBouncer
// may pool by transaction.
//
// Each delivery at the same time takes a connection. Set
// [database/sql.DB.SetMaxOpenConns] above their number, and
// [database/sql.DB.SetMaxIdleConns], which is 2 otherwise, near it: a new
// connection to PostgreSQL costs more than all else that a claim does.
//
// # SQLite
//
// SQLite has one writer at a time, and a claim is a writer, so all events are
// handled one after the other. A delivery waits for its turn for 5 seconds, and is
// answered 503 after that. It waits for another process as long as the connection's
// busy_timeout, which is 0 by default: set it to some seconds. Set journal_mode to
// WAL, so that readers go on. A handler must write
// through its transaction: through the pool it would wait for itself. A process
// that hangs holds the database, as with SQLite it always does.
package midsql
