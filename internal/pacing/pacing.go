// Package pacing lets requests go as fast as a quota allows, and no faster: a
// [Queue] of callers in front of what the server reports (a [Window]) and, if
// one is given, of a [Plan].
package pacing

import (
	"fmt"
	"time"
)

// Quota is what an answer reports: Remaining of Limit requests may still go, and
// at Reset all of them may go again. The zero value reports nothing.
type Quota struct {
	Limit, Remaining int
	Reset            time.Time // by the server's clock
}

// Outcome is how a request ended.
type Outcome struct {
	// Sent is false for a request that surely never left: its place is free
	// again.
	Sent bool
	// Answered is true for an answer of the API itself. A 5xx counts as no answer,
	// unless it reports a quota.
	Answered bool
	// Quota is what the answer reports.
	Quota Quota
	// Date is the answer's Date header, which has the server's time.
	Date string
	// RetryAfter is how long nothing should be sent. It is more than zero for a
	// 429, and only then.
	RetryAfter time.Duration
}

// farReset is longer than a window of any published plan, and than its bucket
// takes to be full.
const farReset = 2 * time.Minute

// longestReset is how far away a Reset may be to be believed. It is of no use to wait for
// one that is further away.
const longestReset = 366 * 24 * time.Hour

// believable reports whether the outcome reports a quota that it does not
// contradict itself. date is when the answer was made, by the server's clock.
func (o Outcome) believable(date time.Time) bool {
	q := o.Quota
	switch {
	case q.Limit < 1, q.Remaining < 0, q.Remaining > q.Limit:
		return false
	case o.RetryAfter > 0 && q.Remaining > 0:
		return false // refused, though there was room
	}
	// Either may be rounded to a second.
	left := q.Reset.Sub(date)
	return left > -time.Second && left < longestReset
}

// refillsBeforeReset reports whether a refusal asks to wait for less than Reset: a
// bucket has a place again long before it is full.
func (o Outcome) refillsBeforeReset(date time.Time) bool {
	// Either may be rounded to a second.
	return o.RetryAfter > 0 && o.Quota.Reset.Sub(date)-o.RetryAfter > 2*time.Second
}

// Refusal says that the wait for a turn would be too long.
type Refusal struct {
	// Wait is how long it would be.
	Wait time.Duration
	// Err is [context.DeadlineExceeded] if the context ends before. It is nil if the
	// wait is longer than the queue allows.
	Err error
}

func (r *Refusal) Error() string { return fmt.Sprintf("the wait would take %v", r.Wait) }

// Unwrap returns Err.
func (r *Refusal) Unwrap() error { return r.Err }

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
