package midsql

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/mobid-io/mid-go"
)

const (
	defaultRetention = 7 * 24 * time.Hour
	// pruned is how many old rows a claim deletes at most: more than it adds.
	pruned = 10
	// settleTime is what a claim has after its lease to roll back before its
	// connection is cut off.
	settleTime = 5 * time.Second
	// attempts is how many connections a claim tries: after a restart of the
	// server, those in the pool are dead.
	attempts = 3
)

// Store is a [mid.EventStore] in a table of the application's database. It is
// made by [New] and safe for concurrent use.
type Store struct {
	db        *sql.DB
	dialect   dialect
	retention time.Duration
	inHand    inHand
	writer    chan struct{} // if the database has one writer, full while a claim is it
}

// Option configures a [Store].
type Option func(*Store) error

// WithRetention sets how long the store remembers a handled event; 7 days
// without it. It must be more than zero, at least twice
// [mid.WebhookConfig.Tolerance], and longer than MID goes on delivering an
// event.
func WithRetention(d time.Duration) Option {
	return func(s *Store) error {
		if d <= 0 {
			return &mid.ValidationError{Field: "midsql.WithRetention", Reason: "is not more than zero"}
		}
		s.retention = d
		return nil
	}
}

// New returns a store on db, which stays the caller's to close. It connects to
// nothing; the table is made by [Store.Migrate]. The error is a
// [*mid.ValidationError] if db is nil, the dialect is not one of this package's,
// or an option is invalid.
//
// A claim holds one of db's connections while the event's handler runs. With
// [sql.DB.SetMaxOpenConns], allow more connections than there are deliveries at
// the same time: a delivery that gets none within 5 seconds is answered 503.
func New(db *sql.DB, d Dialect, opts ...Option) (*Store, error) {
	if db == nil {
		return nil, &mid.ValidationError{Field: "midsql.New db", Reason: "is nil"}
	}
	known, ok := dialects[d]
	if !ok {
		return nil, &mid.ValidationError{Field: "midsql.New dialect", Reason: "is neither midsql.Postgres nor midsql.SQLite"}
	}
	s := &Store{db: db, dialect: known, retention: defaultRetention, inHand: inHand{events: make(map[string]holding)}}
	if known.oneWriter {
		s.writer = make(chan struct{}, 1)
	}
	for _, opt := range opts {
		if opt == nil {
			continue
		}
		if err := opt(s); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Migrate creates the store's table and its index unless they exist. Several
// processes may call it at the same time. It needs the right to create tables
// in the database's current schema.
func (s *Store) Migrate(ctx context.Context) error {
	if err := s.migrate(ctx); err != nil {
		return fmt.Errorf("mid: creating the table of webhook events: %w", err)
	}
	return nil
}

func (s *Store) migrate(ctx context.Context) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after Commit
	if s.dialect.migrate != "" {
		if _, err := tx.ExecContext(ctx, s.dialect.migrate, lockOf("")); err != nil {
			return err
		}
	}
	for _, statement := range s.dialect.schema {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// Claim implements [mid.EventStore]. The claim is a transaction: it ends, and
// with it the claim, when the process dies or the connection breaks.
//
// On SQLite a claim is the database's only writer. Claim waits for its turn
// within a process, and for other processes as long as the connection's
// busy_timeout; after that the error is the database's.
func (s *Store) Claim(ctx context.Context, id string, lease time.Duration) (mid.EventClaim, error) {
	lapse, key := time.Now().Add(lease), keyOf(id)
	leave, err := s.inHand.enter(ctx, key, lapse)
	if err != nil {
		return nil, err
	}
	c, err := s.claim(ctx, key, lapse, leave)
	switch {
	case err == nil:
		return c, nil
	case errors.Is(err, mid.ErrEventHandled), errors.Is(err, mid.ErrEventInHand):
		return nil, err
	}
	return nil, fmt.Errorf("mid: claiming the webhook event: %w", err)
}

// claim calls leave when the claim has ended, or before it returns an error.
func (s *Store) claim(ctx context.Context, key string, lapse time.Time, leave func()) (*claim, error) {
	if err := s.unhandled(ctx, key); err != nil {
		leave()
		return nil, err
	}
	if err := s.awaitTurn(ctx); err != nil {
		leave()
		return nil, err
	}
	// The transaction ends with the claim, whatever becomes of ctx after Claim.
	txCtx, abort := context.WithDeadline(context.WithoutCancel(ctx), lapse.Add(settleTime))
	free := func() {
		abort()
		s.endTurn()
		leave()
	}
	detach := context.AfterFunc(ctx, abort)
	tx, err := s.begin(txCtx, key, time.Until(lapse))
	if !detach() {
		err = cmp.Or(err, context.Cause(ctx))
	}
	if err != nil {
		if tx != nil {
			_ = tx.Rollback()
		}
		free()
		return nil, err
	}
	return newClaim(tx, lapse, abort, free), nil
}

// unhandled returns [mid.ErrEventHandled] if the event is marked. It tries other
// connections, because those in the pool are dead after a restart of the server;
// what it finds alive is what begin gets next.
func (s *Store) unhandled(ctx context.Context, key string) (err error) {
	for range attempts {
		var one int
		err = s.db.QueryRowContext(ctx, s.dialect.handled, key).Scan(&one)
		switch {
		case err == nil:
			return mid.ErrEventHandled
		case errors.Is(err, sql.ErrNoRows):
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		}
	}
	return err
}

func (s *Store) awaitTurn(ctx context.Context) error {
	if s.writer == nil {
		return nil
	}
	select {
	case s.writer <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *Store) endTurn() {
	if s.writer != nil {
		<-s.writer
	}
}

// begin returns a transaction that has locked and marked the event. After an
// error, the transaction that comes with it is to be rolled back.
func (s *Store) begin(ctx context.Context, key string, lease time.Duration) (*sql.Tx, error) {
	tx, err := s.db.BeginTx(ctx, &sql.TxOptions{Isolation: s.dialect.isolation})
	if err != nil {
		return nil, err
	}
	if err := s.lock(ctx, tx, key, lease); err != nil {
		return tx, err
	}
	result, err := tx.ExecContext(ctx, s.dialect.mark, key)
	if err != nil {
		return tx, err
	}
	if rows, err := result.RowsAffected(); err != nil {
		return tx, err
	} else if rows == 0 {
		return tx, mid.ErrEventHandled
	}
	_, err = tx.ExecContext(ctx, s.dialect.prune, s.retention.Seconds(), pruned)
	return tx, err
}

func (s *Store) lock(ctx context.Context, tx *sql.Tx, key string, lease time.Duration) error {
	if s.dialect.lock == "" {
		return nil
	}
	const day = 24 * time.Hour // near the most that the server takes
	idle := min(max(lease, time.Millisecond), 24*day).Milliseconds()
	var free bool
	if err := tx.QueryRowContext(ctx, s.dialect.lock, lockOf(key), strconv.FormatInt(idle, 10)).Scan(&free); err != nil {
		return err
	}
	if !free {
		return mid.ErrEventInHand
	}
	return nil
}
