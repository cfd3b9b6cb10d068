package midsql

import (
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"strings"
)

// Dialect is the SQL that a database speaks.
type Dialect string

// The databases that a [Store] knows.
const (
	// Postgres is PostgreSQL 9.6 or newer.
	Postgres Dialect = "postgres"
	// SQLite is SQLite 3.24 or newer.
	SQLite Dialect = "sqlite"
)

// Schema returns the statements that [Store.Migrate] executes, for those who
// keep the schema with a tool of their own. It is empty for a dialect that the
// package does not know.
func (d Dialect) Schema() string {
	return strings.Join(dialects[d].schema, "\n")
}

// dialect holds what differs between the databases.
type dialect struct {
	schema    []string
	isolation sql.IsolationLevel
	// oneWriter says that a claim keeps all others waiting.
	oneWriter bool

	handled string // selects a row if the event was handled: id
	lock    string // if there is one, selects whether the event is free: its number, the lease in milliseconds
	mark    string // inserts the event unless it was handled: id
	prune   string // deletes some old rows: their age in seconds, how many
	migrate string // if there is one, waits for other processes' migrations: a number
}

var dialects = map[Dialect]dialect{
	Postgres: {
		// The collation "C" compares bytes. An index in the order of a language
		// may lose its rows when the system's order changes.
		schema: []string{
			`CREATE TABLE IF NOT EXISTS mid_events (
    id         text COLLATE "C" PRIMARY KEY,
    claimed_at timestamptz NOT NULL DEFAULT now()
);`,
			`CREATE INDEX IF NOT EXISTS mid_events_claimed_at ON mid_events (claimed_at);`,
		},
		// In any higher level, mark would fail where another claim of the event
		// has just been committed.
		isolation: sql.LevelReadCommitted,
		handled:   `SELECT 1 FROM mid_events WHERE id = $1`,
		// The server ends the transaction of a machine that is gone without
		// closing its connections: these live for hours otherwise.
		lock: `SELECT pg_try_advisory_xact_lock($1)
			FROM set_config('idle_in_transaction_session_timeout', $2, true)`,
		mark: `INSERT INTO mid_events (id) VALUES ($1) ON CONFLICT (id) DO NOTHING`,
		// Without SKIP LOCKED, claims would wait for each other's rows.
		prune: `DELETE FROM mid_events WHERE id = ANY (ARRAY (
			SELECT id FROM mid_events WHERE claimed_at < now() - make_interval(secs => $1)
			ORDER BY claimed_at LIMIT $2 FOR UPDATE SKIP LOCKED))`,
		migrate: `SELECT pg_advisory_xact_lock($1)`,
	},
	SQLite: {
		schema: []string{
			`CREATE TABLE IF NOT EXISTS mid_events (
    id         TEXT PRIMARY KEY,
    claimed_at INTEGER NOT NULL DEFAULT (CAST(strftime('%s', 'now') AS INTEGER)) -- Unix seconds
);`,
			`CREATE INDEX IF NOT EXISTS mid_events_claimed_at ON mid_events (claimed_at);`,
		},
		oneWriter: true,
		handled:   `SELECT 1 FROM mid_events WHERE id = ?`,
		// A transaction that begins by writing gets the database's only lock as
		// BEGIN IMMEDIATE does, which package database/sql can't send.
		mark: `INSERT INTO mid_events (id) VALUES (?) ON CONFLICT (id) DO NOTHING`,
		prune: `DELETE FROM mid_events WHERE id IN (
			SELECT id FROM mid_events WHERE claimed_at < CAST(strftime('%s', 'now') AS INTEGER) - ?
			ORDER BY claimed_at LIMIT ?)`,
	},
}

// hashed begins the keys that are made of a hash.
const hashed = "sha256:"

// keyOf returns what an event's id is stored as: itself if every database and
// every encoding can hold and index it, else its hash.
func keyOf(id string) string {
	const longest = 255
	plain := len(id) <= longest && !strings.HasPrefix(id, hashed)
	for i := 0; plain && i < len(id); i++ {
		plain = id[i] >= ' ' && id[i] <= '~'
	}
	if plain {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return hashed + hex.EncodeToString(sum[:])
}

// lockOf returns the number of an event's advisory lock. Two events of the same
// number would only be handled one after the other.
func lockOf(key string) int64 {
	sum := sha256.Sum256([]byte("mid_events " + key))
	return int64(binary.BigEndian.Uint64(sum[:8]))
}
