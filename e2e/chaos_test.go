package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

const (
	chaosCallers = 64
	// chaosMargin is how long a call may outlive its context: much, because the
	// machine may be loaded, and much less than what a call would wait otherwise.
	chaosMargin = 5 * time.Second
	// chaosMemory is what may be left when everything has ended, in bytes, and
	// foreignMemory what a goroutine may hold that toxiproxy leaves behind.
	chaosMemory   = 16 << 20
	foreignMemory = 64 << 10
)

// TestChaos makes calls from 64 goroutines while the network, the server and its
// tokens fail at random. MID_CHAOS_CALLS is the number of calls of a long run,
// MID_CHAOS_SEED repeats one.
func TestChaos(t *testing.T) {
	calls, seeds := 750, []uint64{7, 42}
	if n := fromEnv(t, "MID_CHAOS_CALLS"); n > 0 {
		calls, seeds = int(n), []uint64{rand.Uint64N(1 << 32)}
	}
	if seed := fromEnv(t, "MID_CHAOS_SEED"); seed > 0 {
		seeds = []uint64{seed}
	}
	for _, seed := range seeds {
		before, running := heap(), runtime.NumGoroutine()
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			c := newChaos(t, seed, calls)
			c.run()
			c.check()
			c.report()
		})
		after, foreign := heap(), max(runtime.NumGoroutine()-running, 0)
		t.Logf("heap in use: %d KiB before, %d KiB after with %d goroutines of toxiproxy's", before>>10, after>>10, foreign)
		assert.Less(t, after, before+chaosMemory+uint64(foreign)*foreignMemory, "memory is given back")
	}
}

// fromEnv is a number in the environment, or zero.
func fromEnv(t *testing.T, name string) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return 0
	}
	n, err := strconv.ParseUint(text, 10, 64)
	require.NoError(t, err, name)
	return n
}

// heap is what is in use after garbage has been collected, in bytes.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what pools have kept
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// chaos is one run.
type chaos struct {
	t       *testing.T
	seed    uint64
	network *badNetwork
	door    *door
	told    *answers
	calls   []taggedCall
	clients []*mid.Client
	results []result // one for each call, by its number
	weather map[string]int
	took    time.Duration
}

// result is how a call ended.
type result struct {
	call   taggedCall
	tag    string
	id     string
	err    error
	answer mid.Response
	ended  error         // of the context, when the call returned
	late   time.Duration // how long the call outlived its context
}

func newChaos(t *testing.T, seed uint64, calls int) *chaos {
	t.Helper()
	c := &chaos{t: t, seed: seed, door: newDoor(t), told: newAnswers(), results: make([]result, calls), weather: map[string]int{}}
	c.network = newBadNetwork(t, midtest.WithListener(c.door), midtest.WithMiddleware(c.told.witness))
	c.calls = newWorld(t, c.network.srv).taggedCalls()
	for _, policy := range []struct {
		retries int
		timeout time.Duration
	}{{8, 2 * time.Second}, {3, 400 * time.Millisecond}, {0, time.Second}, {5, time.Second}} {
		c.clients = append(c.clients, c.network.client(mid.WithAttemptTimeout(policy.timeout), mid.WithRetry(mid.RetryPolicy{
			MaxRetries: policy.retries,
			MinWait:    5 * time.Millisecond,
			MaxWait:    100 * time.Millisecond,
		})))
	}
	return c
}

// run makes the calls in bad weather, and waits until the server has done what
// it was asked.
func (c *chaos) run() {
	began := time.Now()
	var callers sync.WaitGroup
	var next atomic.Int64
	for n := range chaosCallers {
		callers.Go(func() {
			choose := rand.New(rand.NewPCG(c.seed, uint64(n+1)))
			for {
				i := int(next.Add(1)) - 1
				if i >= len(c.results) {
					return
				}
				c.results[i] = c.make(choose, c.clients[n%len(c.clients)], fmt.Sprintf("call-%d", i))
			}
		})
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		callers.Wait()
	}()
	c.storm(done)
	<-done
	c.took = time.Since(began)
	c.network.replace("")
	require.Eventually(c.t, c.told.idle, 30*time.Second, 10*time.Millisecond, "the server ends what it began")
}

// make makes a call with a context that may end before it.
func (c *chaos) make(choose *rand.Rand, client *mid.Client, tag string) result {
	linger(choose, 0, 300)
	r := result{call: c.calls[choose.IntN(len(c.calls))], tag: tag}
	ctx, cancel := context.WithCancel(c.t.Context())
	defer cancel()
	life := time.Minute
	switch choose.IntN(10) {
	case 0: // cancelled
		life = time.Duration(choose.IntN(300)) * time.Millisecond
		defer time.AfterFunc(life, cancel).Stop()
	case 1, 2: // in a hurry
		life = time.Duration(20+choose.IntN(1500)) * time.Millisecond
		ctx, cancel = context.WithTimeout(ctx, life)
		defer cancel()
	default:
		ctx, cancel = context.WithTimeout(ctx, life)
		defer cancel()
	}
	end := time.Now().Add(life)
	r.id, r.err = r.call.call(ctx, client, tag, mid.WithResponse(&r.answer))
	r.late, r.ended = time.Since(end), ctx.Err()
	return r
}

// check holds the results against what the server did.
func (c *chaos) check() {
	created := taggedResources(c.network.srv)
	delete(created, "")
	for _, r := range c.results {
		ids := created[r.tag]
		delete(created, r.tag)
		switch {
		case r.call.create && r.err == nil:
			assert.Equal(c.t, []string{r.id}, ids, "%s by %s is there once", r.call.name, r.tag)
		case r.call.create:
			assert.LessOrEqual(c.t, len(ids), 1, "%s by %s is there once at most: %v", r.call.name, r.tag, r.err)
		default:
			assert.Empty(c.t, ids, "%s creates nothing", r.call.name)
		}
		if complaint := c.complaint(r); complaint != "" {
			assert.Fail(c.t, complaint, "%s by %s: %v", r.call.name, r.tag, r.err)
		}
		assert.Less(c.t, r.late, chaosMargin, "%s by %s outlives its context", r.call.name, r.tag)
	}
	assert.Empty(c.t, created, "resources of calls that were never made")
}

// complaint says what is wrong with how a call ended; "" if nothing is.
func (c *chaos) complaint(r result) string {
	if r.err == nil {
		if sent := c.told.status(r.answer.RequestID); sent != r.answer.StatusCode || sent/100 != 2 {
			return fmt.Sprintf("a success with status %d, the server sent %d", r.answer.StatusCode, sent)
		}
		return ""
	}
	text := r.err.Error()
	api, answered := errors.AsType[*mid.APIError](r.err)
	limited, _ := errors.AsType[*mid.RateLimitError](r.err)
	switch {
	case errors.Is(r.err, errFalse):
		return "no error, and another result"
	case strings.Contains(text, c.network.srv.ClientSecret), strings.Contains(text, r.tag+`"`):
		return "the error shows what it must not"
	case !strings.HasPrefix(text, "mid: "):
		return "the error does not begin with its package"
	case answered && c.told.status(api.RequestID) != api.StatusCode:
		return fmt.Sprintf("the error says %d, the server sent %d", api.StatusCode, c.told.status(api.RequestID))
	case errors.Is(r.err, context.Canceled) && r.ended == nil:
		return "the context was not cancelled"
	case errors.Is(r.err, context.DeadlineExceeded) && r.ended == nil && limited == nil:
		return "the context had not ended"
	case kindOf(r.err) == kindUntyped:
		return "the error has no type that a caller could look for"
	}
	return ""
}

// report prints what happened, for people.
func (c *chaos) report() {
	kinds, attempts, late := map[string]int{}, map[int]int{}, time.Duration(0)
	succeeded, retried := map[string]int{}, 0
	for _, r := range c.results {
		kinds[kindOf(r.err)]++
		attempts[r.answer.Attempts]++
		late = max(late, r.late)
		if r.late > time.Second {
			c.t.Logf("%s by %s was %v late, attempts %d: %v", r.call.name, r.tag, r.late, r.answer.Attempts, r.err)
		}
		if r.err == nil {
			succeeded[r.call.name]++
			retried += min(r.answer.Attempts-1, 1)
		}
	}
	c.t.Logf("%d calls in %v, weather %v", len(c.results), c.took.Round(time.Millisecond), c.weather)
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		c.t.Logf("%6d %s", kinds[kind], kind)
	}
	c.t.Logf("attempts %v; the latest return was %v after the end of its context", attempts, max(late, 0))
	// On a loaded machine the bad times last longer, and hurt more calls.
	assert.Greater(c.t, kinds[kindSuccess], len(c.results)/50, "some calls succeed: %v", succeeded)
	assert.Positive(c.t, retried, "some calls succeed after a failure")
	assert.Less(c.t, kinds[kindSuccess], len(c.results), "some calls fail")
}

// answers remembers what the server really sent.
type answers struct {
	busy atomic.Int64

	mu       sync.Mutex
	statuses map[string]int // by the request's id
}

func newAnswers() *answers { return &answers{statuses: map[string]int{}} }

// witness is middleware of the server's.
func (a *answers) witness(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.busy.Add(1)
		defer a.busy.Add(-1)
		next.ServeHTTP(&witnessed{w, a}, r)
	})
}

func (a *answers) idle() bool { return a.busy.Load() == 0 }

func (a *answers) sent(requestID string, status int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.statuses[requestID] = status
}

// status is what was sent to a request; zero if nothing was.
func (a *answers) status(requestID string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.statuses[requestID]
}

type witnessed struct {
	http.ResponseWriter
	answers *answers
}

func (w *witnessed) WriteHeader(status int) {
	w.answers.sent(w.Header().Get("X-Request-Id"), status)
	w.ResponseWriter.WriteHeader(status)
}

func (w *witnessed) Unwrap() http.ResponseWriter { return w.ResponseWriter }
