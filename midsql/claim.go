package midsql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/mobid-io/mid-go"
)

type txKey struct{}

// Tx returns the transaction that the event's handler runs in, or nil if ctx is
// not that of a handler whose events a [Store] claims. What the handler writes
// in it is committed together with the event's mark, or not at all.
//
// Use it until the handler returns, and leave its end to the store: a handler
// that commits or rolls it back itself has its event delivered again. Return
// the error of every statement: the database may have rolled back all of them.
// Give statements the handler's ctx, so that they end with the lease.
func Tx(ctx context.Context) *sql.Tx {
	tx, _ := ctx.Value(txKey{}).(*sql.Tx)
	return tx
}

// claim is a transaction that has locked the event and written its mark.
type claim struct {
	tx    *sql.Tx
	lapse time.Time
	abort func()      // ends the transaction's ctx
	free  func()      // gives back what the claim holds, once tx has ended
	timer *time.Timer // rolls back when the lease has passed

	mu      sync.Mutex
	settled bool
	done    bool // the transaction was committed
}

func newClaim(tx *sql.Tx, lapse time.Time, abort, free func()) *claim {
	c := &claim{tx: tx, lapse: lapse, abort: abort, free: free}
	c.mu.Lock() // the timer may fire before the field is set
	defer c.mu.Unlock()
	c.timer = time.AfterFunc(time.Until(lapse), func() { _ = c.rollback() })
	return c
}

// Context implements [mid.EventClaim].
func (c *claim) Context(ctx context.Context) (context.Context, error) {
	return context.WithValue(ctx, txKey{}, c.tx), nil
}

// Done implements [mid.EventClaim]. Until the database has committed, it holds
// the event's lock: another claim finds it either in hand or handled.
func (c *claim) Done(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !time.Now().Before(c.lapse) {
		_ = c.rollback()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.done:
		return nil
	case c.settled:
		return mid.ErrClaimLost
	}
	stop := context.AfterFunc(ctx, c.abort) // Commit takes no ctx
	err := c.tx.Commit()
	stop()
	c.settle()
	switch {
	case err != nil && ctx.Err() != nil:
		return fmt.Errorf("mid: committing the webhook event: %w", ctx.Err())
	case errors.Is(err, sql.ErrTxDone):
		return errors.New("mid: the event's handler has ended the transaction, which it must leave to the store")
	case err != nil:
		return fmt.Errorf("mid: committing the webhook event: %w", err)
	}
	c.done = true
	return nil
}

// Release implements [mid.EventClaim].
func (c *claim) Release(context.Context) error {
	if err := c.rollback(); err != nil {
		return fmt.Errorf("mid: rolling back the webhook event: %w", err)
	}
	return nil
}

func (c *claim) rollback() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.settled {
		return nil
	}
	err := c.tx.Rollback()
	c.settle()
	if errors.Is(err, sql.ErrTxDone) || errors.Is(err, driver.ErrBadConn) {
		return nil // the handler did it, or the connection is gone and the claim with it
	}
	return err
}

func (c *claim) settle() {
	c.settled = true
	c.timer.Stop()
	c.free()
}
