package midsql_test

import (
	"context"
	"database/sql"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midsql"
)

const (
	receivers  = 4
	senders    = 16
	workTime   = 2 * time.Millisecond
	killPeriod = time.Second
)

// Four processes receive events, each of which is delivered at least twice, and
// every second one of the processes is killed and another started.
// MID_KILL_EVENTS is the number of events.
func TestKilledReceiversLoseAndRepeatNothing(t *testing.T) {
	t.Run("postgres", func(t *testing.T) { killReceivers(t, newDatabase(t, midsql.Postgres), killedEvents(t, 1000)) })
	t.Run("sqlite", func(t *testing.T) { killReceivers(t, newDatabase(t, midsql.SQLite), killedEvents(t, 200)) })
}

func killedEvents(t *testing.T, usual int) int {
	t.Helper()
	text := os.Getenv("MID_KILL_EVENTS")
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err)
	return n
}

func killReceivers(t *testing.T, d database, events int) {
	db, begun := d.open(t), time.Now()
	f := newFleet(t, d)
	stop := f.killEverySecond(t)
	f.deliverAll(t, events)
	stop()

	assertOnce(t, db, events)
	assert.Positive(t, f.kills.Load(), "no process was killed: more events are needed")
	t.Logf("%d events, %d deliveries in %v: %d acknowledged, %d refused with 503, %d with another status, %d cut off by %d kills",
		events, f.deliveries.Load(), time.Since(begun).Round(time.Millisecond),
		f.acknowledged.Load(), f.refused.Load(), f.failed.Load(), f.cut.Load(), f.kills.Load())
}

// assertOnce checks that each event has each of its effects once, and its mark.
func assertOnce(t *testing.T, db *sql.DB, events int) {
	t.Helper()
	assert.Equal(t, events, count(t, db, `SELECT count(*) FROM mid_events`), "marks")
	assert.Equal(t, events, count(t, db, `SELECT count(DISTINCT event) FROM effects WHERE step = 1`), "events with the first effect")
	assert.Equal(t, events, count(t, db, `SELECT count(DISTINCT event) FROM effects WHERE step = 2`), "events with the second effect")
	assert.Equal(t, 2*events, count(t, db, `SELECT count(*) FROM effects`), "effects")
}

// fleet is some receivers on one database.
type fleet struct {
	database database
	sender   *sender

	mu        sync.Mutex
	receivers [receivers]*receiver

	deliveries, acknowledged, refused, failed, cut, kills atomic.Int64
}

func newFleet(t *testing.T, d database) *fleet {
	t.Helper()
	f := &fleet{database: d, sender: newSender(t)}
	t.Cleanup(func() {
		for _, r := range f.receivers {
			if r != nil {
				r.kill()
			}
		}
	})
	for i := range f.receivers {
		r, err := startReceiver(d, lease)
		require.NoError(t, err)
		f.receivers[i] = r
	}
	return f
}

// killEverySecond returns a function that ends the killing.
func (f *fleet) killEverySecond(t *testing.T) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var killer sync.WaitGroup
	killer.Go(func() {
		tick := time.NewTicker(killPeriod)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			f.replace(t, rand.IntN(receivers))
		}
	})
	return func() {
		cancel()
		killer.Wait()
	}
}

// replace kills a receiver and starts its successor.
func (f *fleet) replace(t *testing.T, i int) {
	f.at(i).kill()
	f.kills.Add(1)
	r, err := startReceiver(f.database, lease)
	if !assert.NoError(t, err) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.receivers[i] = r
}

func (f *fleet) at(i int) *receiver {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.receivers[i]
}

// deliverAll delivers each event twice at about the same time, and each of the
// deliveries until it is acknowledged.
func (f *fleet) deliverAll(t *testing.T, events int) {
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	queue := make(chan string)
	var all sync.WaitGroup
	for range senders {
		all.Go(func() {
			for id := range queue {
				f.deliver(ctx, id)
			}
		})
	}
	for i := range 2 * events {
		queue <- "evt_" + strconv.Itoa(i/2)
	}
	close(queue)
	all.Wait()
	require.NoError(t, ctx.Err(), "not all events were acknowledged in time")
}

func (f *fleet) deliver(ctx context.Context, id string) {
	for ctx.Err() == nil {
		f.deliveries.Add(1)
		switch f.sender.deliver(ctx, f.at(rand.IntN(receivers)).url, id, workTime) {
		case http.StatusNoContent:
			f.acknowledged.Add(1)
			return
		case 0:
			f.cut.Add(1)
		case http.StatusServiceUnavailable:
			f.refused.Add(1)
		default:
			f.failed.Add(1)
		}
		time.Sleep(rand.N(20 * time.Millisecond)) // MID, too, waits
	}
}

// A machine that hangs, or loses its network, keeps its connections: the
// server ends its claim when the lease has passed.
func TestHungReceiverLosesItsClaim(t *testing.T) {
	d := newDatabase(t, midsql.Postgres)
	db, id, s := d.open(t), newEvent(), newSender(t)
	store := d.store(t, db)
	const lease = 3 * time.Second // real time, because it is the server's
	r, err := startReceiver(d, lease)
	require.NoError(t, err)
	t.Cleanup(r.kill)

	status := make(chan int, 1)
	go func() { status <- s.deliver(lasting(t), r.url, id, lease) }()
	require.Eventually(t, func() bool {
		return count(t, db, `SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'`) == 1
	}, 20*time.Second, time.Millisecond, "the receiver does not claim the event")
	r.signal(t, syscall.SIGSTOP)

	var c mid.EventClaim
	require.Eventually(t, func() bool {
		var err error
		c, err = store.Claim(lasting(t), id, lease)
		return err == nil
	}, 20*time.Second, 20*time.Millisecond, "the claim of a process that hangs does not end")
	write(t, c, id)
	require.NoError(t, c.Done(lasting(t)))

	r.signal(t, syscall.SIGCONT)
	assert.GreaterOrEqual(t, <-status, http.StatusInternalServerError)
	assert.Equal(t, 1, effects(t, db, id))
}
