package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/mobid-io/mid-go"
)

// roleEnv says, as JSON, that this is a process of a fleet, and which.
const roleEnv = "MID_BENCH_FLEET_ROLE"

// role is what a process of a fleet does.
type role struct {
	Contestant       string
	Redis            string // host and port
	Account          string
	URL              string // of the server that it calls
	ClientID, Secret string
	Plan             mid.Plan
	Seconds          float64
	// Callers call as fast as they may, if Calls is 0.
	Callers int
	// Calls is how many calls to make, one each Every, whether or not those before
	// have ended.
	Calls int
	Every time.Duration
}

// outcome is what a process says in the end.
type outcome struct {
	Served     []time.Time     // when each answer came
	Delays     []time.Duration // of Calls: from the call until it was sent
	Failed     int
	Error      string // the first
	RoundTrips int64
}

// work is the main function of a process. It says a line when it is ready, waits for
// a line, and says its outcome.
func work(text string, stdin io.Reader, stdout io.Writer) error {
	var r role
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return err
	}
	rdb := redis.NewClient(&redis.Options{Addr: r.Redis})
	defer func() { _ = rdb.Close() }() // it has nothing left to send
	var trips roundTrips
	rdb.AddHook(&trips)
	opts, err := contestants[r.Contestant](rdb, r.Account, r.Plan)
	if err != nil {
		return err
	}
	client, err := mid.NewClient(r.ClientID, r.Secret, append(opts, mid.WithBaseURL(r.URL), mid.WithMiddleware(noteSending))...)
	if err != nil {
		return err
	}
	w := worker{client: client}
	// A cold start is not to be measured: calls give their places back while the first
	// of them fetches the token, and redis_rate takes none back.
	if !w.call(context.Background()) {
		return errors.New(w.outcome.Error)
	}
	w.outcome = outcome{}
	trips.n.Store(0)
	out := json.NewEncoder(stdout)
	if err := out.Encode("ready"); err != nil {
		return err
	}
	if _, err := bufio.NewReader(stdin).ReadString('\n'); err != nil {
		return err
	}
	if r.Calls > 0 {
		w.pace(r.Calls, r.Every)
	} else {
		w.load(r.Callers, time.Duration(r.Seconds*float64(time.Second)))
	}
	w.outcome.RoundTrips = trips.n.Load()
	return out.Encode(w.outcome)
}

// worker is a process at work.
type worker struct {
	client *mid.Client

	mu      sync.Mutex
	outcome outcome
}

// load calls as fast as it may, for a time. The calls have no deadline: a limiter
// would refuse them ahead of it.
func (w *worker) load(callers int, length time.Duration) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	defer time.AfterFunc(length, cancel).Stop()
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for ctx.Err() == nil {
				if !w.call(ctx) {
					_ = sleep(ctx, 50*time.Millisecond) // the loop looks at ctx
				}
			}
		})
	}
	all.Wait()
}

// pace makes calls at a fixed pace.
func (w *worker) pace(calls int, every time.Duration) {
	ticks := time.NewTicker(every)
	defer ticks.Stop()
	var all sync.WaitGroup
	for range calls {
		<-ticks.C
		all.Go(func() { w.call(context.Background()) })
	}
	all.Wait()
}

// call reports whether the server has served one call.
func (w *worker) call(ctx context.Context) bool {
	begun, sent := time.Now(), new(atomic.Int64)
	_, err := w.client.Authentication.GetSession(context.WithValue(ctx, sentKey{}, sent), "sess_unknown")
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case errors.Is(err, mid.ErrNotFound): // an answer as good as any
		w.outcome.Served = append(w.outcome.Served, time.Now())
		w.outcome.Delays = append(w.outcome.Delays, time.Unix(0, sent.Load()).Sub(begun))
		return true
	case ctx.Err() != nil:
		return false
	case err == nil:
		err = errors.New("the unknown session was found")
	}
	w.outcome.Failed++
	if w.outcome.Error == "" {
		w.outcome.Error = err.Error()
	}
	return false
}

// sentKey is the context key of the place for the time, in nanoseconds, at which a
// call was sent.
type sentKey struct{}

// noteSending stands between a client and its transport. A call that is sent again
// has the time of its last sending, because until then the quota had no room for it.
func noteSending(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		if sent, ok := req.Context().Value(sentKey{}).(*atomic.Int64); ok {
			sent.Store(time.Now().UnixNano())
		}
		return next.RoundTrip(req)
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
