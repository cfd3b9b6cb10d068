package midredis_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// simulation is some processes on one quota. They run by the fake clock of a bubble,
// with the real script in a real Redis, to which the time is given.
type simulation struct {
	plan      mid.Plan
	window    int  // what the server allows in each of its windows; 0 if it keeps the plan's bucket
	silent    bool // the server reports nothing
	length    time.Duration
	clock     time.Duration // by which Redis' clock is set after ten seconds
	processes []simProcess
}

const windowLength = 8 * time.Second

// simProcess is a process whose callers call again and again.
type simProcess struct {
	callers      int
	begin, leave time.Duration // leave is 0 if it stays
	dies         time.Duration // without a word to Redis; 0 if it lives
	pause        time.Duration // between the calls of a caller
}

func several(n, callers int) []simProcess {
	return slices.Repeat([]simProcess{{callers: callers}}, n)
}

// simulated is what came of a simulation.
type simulated struct {
	served   []int // each process
	goodput  float64
	commands float64 // for each request
	refused  int     // 429s
}

func (s simulation) run(t *testing.T) simulated {
	t.Helper()
	rdb := dialRaw(t, sharedRedis(t).addr)
	account := newAccount()
	got := simulated{served: make([]int, len(s.processes))}
	var commands atomic.Int64
	clients := make([]*redis.Client, len(s.processes)) // their goroutines are no part of the bubble
	for i := range clients {
		clients[i] = redis.NewClient(&redis.Options{})
		t.Cleanup(func() { _ = clients[i].Close() })
	}
	synctest.Test(t, func(t *testing.T) {
		server := &simServer{simulation: s}
		ctx, cancel := context.WithTimeout(t.Context(), s.length)
		defer cancel()
		begun := time.Now()
		skew := func() time.Duration {
			if time.Since(begun) > 10*time.Second {
				return s.clock
			}
			return 0
		}
		var all sync.WaitGroup
		for i, p := range s.processes {
			hook := &simHook{rdb: rdb, skew: skew, commands: &commands}
			clients[i].AddHook(hook)
			limiter := newLimiter(t, clients[i], account, s.plan)
			all.Go(func() { got.served[i] = p.run(ctx, limiter, server, hook) })
		}
		all.Wait()
		got.refused = server.refused
		time.Sleep(5 * time.Minute) // the limiters come to their ends
	})
	allowed := float64(s.plan.Burst) + s.length.Minutes()*float64(s.plan.RequestsPerMinute)
	if s.window > 0 {
		allowed = float64(s.window) * float64((s.length+windowLength-1)/windowLength)
	}
	sum := 0
	for _, n := range got.served {
		sum += n
	}
	got.goodput, got.commands = float64(sum)/allowed, float64(commands.Load())/float64(sum)
	t.Logf("%+v", got)
	return got
}

// least is what the least served process had of the mean.
func (s simulated) least() float64 {
	sum := 0
	for _, n := range s.served {
		sum += n
	}
	return float64(slices.Min(s.served)*len(s.served)) / float64(sum)
}

// run returns how many requests of the process were served.
func (p simProcess) run(ctx context.Context, limiter mid.Limiter, server *simServer, hook *simHook) int {
	end := ctx
	if p.leave > 0 || p.dies > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, p.leave+p.dies)
		defer cancel()
	}
	var served atomic.Int64
	var all sync.WaitGroup
	for range p.callers {
		all.Go(func() {
			time.Sleep(p.begin)
			for ctx.Err() == nil {
				if err := limiter.Wait(ctx); err != nil {
					time.Sleep(100 * time.Millisecond)
					continue
				}
				time.Sleep(15 * time.Millisecond)
				ok, outcome := server.serve()
				time.Sleep(15 * time.Millisecond)
				if ok {
					served.Add(1)
				}
				if p.dies > 0 && ctx.Err() != nil {
					<-end.Done() // the others do not hear of it before
				}
				limiter.Observe(outcome)
				time.Sleep(p.pause)
			}
		})
	}
	if p.dies > 0 {
		<-ctx.Done()
		hook.dead.Store(true)
		<-end.Done()
		hook.dead.Store(false)
	}
	all.Wait()
	return int(served.Load())
}

// simServer counts requests as a simulation says.
type simServer struct {
	simulation

	mu      sync.Mutex
	tat     time.Time // of the bucket: when it is full
	left    int       // of the window
	reset   time.Time
	refused int
}

func (s *simServer) serve() (ok bool, _ mid.RequestOutcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	q := s.bucket(now)
	if s.window > 0 {
		q = s.count(now)
	}
	if q.Remaining >= 0 && s.silent {
		return true, mid.RequestOutcome{Sent: true}
	}
	if q.Remaining < 0 {
		s.refused++
		return false, mid.RequestOutcome{Sent: true, RetryAfter: time.Second}
	}
	return true, mid.RequestOutcome{Sent: true, RateLimit: q}
}

// bucket returns the state of the bucket, and -1 for a request that is too many.
func (s *simServer) bucket(now time.Time) mid.RateLimit {
	interval := time.Minute / time.Duration(s.plan.RequestsPerMinute)
	if s.tat.Before(now) {
		s.tat = now
	}
	left := time.Duration(s.plan.Burst)*interval - s.tat.Sub(now)
	if left >= interval {
		s.tat = s.tat.Add(interval)
	}
	return mid.RateLimit{Limit: s.plan.Burst, Remaining: int(left/interval) - 1, Reset: nextSecond(s.tat)}
}

// count is bucket for a window.
func (s *simServer) count(now time.Time) mid.RateLimit {
	if !now.Before(s.reset) {
		s.left, s.reset = s.window, nextSecond(now.Add(windowLength-time.Second))
	}
	s.left = max(s.left-1, -1)
	return mid.RateLimit{Limit: s.window, Remaining: s.left, Reset: s.reset}
}

// nextSecond rounds a time up, for a header in whole seconds.
func nextSecond(t time.Time) time.Time { return t.Truncate(time.Second).Add(time.Second) }

// simHook is one process' way to Redis.
type simHook struct {
	rdb      *rawRedis
	skew     func() time.Duration
	commands *atomic.Int64
	dead     atomic.Bool
}

func (h *simHook) DialHook(next redis.DialHook) redis.DialHook { return next }

func (h *simHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// ProcessHook sends scripts with a time of their own, a fifth of a millisecond each way.
func (h *simHook) ProcessHook(redis.ProcessHook) redis.ProcessHook {
	return func(_ context.Context, cmd redis.Cmder) error {
		time.Sleep(200 * time.Microsecond)
		reply, err := []any(nil), errors.New("the process has died")
		if !h.dead.Load() {
			h.commands.Add(1)
			reply, err = h.rdb.eval(time.Now().Add(h.skew()), cmd.Args())
		}
		time.Sleep(200 * time.Microsecond)
		if err != nil {
			cmd.SetErr(err)
			return err
		}
		cmd.(*redis.Cmd).SetVal(any(reply))
		return nil
	}
}

// rawRedis is a connection that is no part of any bubble, and has no goroutine.
type rawRedis struct {
	mu   sync.Mutex
	conn net.Conn
	in   *bufio.Reader
}

func dialRaw(t *testing.T, addr string) *rawRedis {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return &rawRedis{conn: conn, in: bufio.NewReader(conn)}
}

// eval runs a script whose reply is numbers, at a time.
func (r *rawRedis) eval(now time.Time, args []any) ([]any, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	script := strings.Replace(args[1].(string), "redis.call('TIME')", "{ARGV[#ARGV - 1], ARGV[#ARGV]}", 1)
	args = append([]any{"EVAL", script}, append(args[2:], now.Unix(), now.Nanosecond()/1000)...)
	var request strings.Builder
	fmt.Fprintf(&request, "*%d\r\n", len(args))
	for _, a := range args {
		text := fmt.Sprint(a)
		fmt.Fprintf(&request, "$%d\r\n%s\r\n", len(text), text)
	}
	if _, err := io.WriteString(r.conn, request.String()); err != nil {
		return nil, err
	}
	n, err := r.number('*')
	if err != nil {
		return nil, err
	}
	reply := make([]any, n)
	for i := range reply {
		if reply[i], err = r.number(':'); err != nil {
			return nil, err
		}
	}
	return reply, nil
}

func (r *rawRedis) number(kind byte) (int64, error) {
	line, err := r.in.ReadString('\n')
	if err != nil {
		return 0, err
	}
	if line[0] != kind {
		return 0, errors.New(line)
	}
	return strconv.ParseInt(strings.TrimSpace(line[1:]), 10, 64)
}

// All published plans, and others, with processes that each send as much as they may.
func TestSimulatedFleets(t *testing.T) {
	published := []mid.Plan{mid.PlanSandbox, mid.PlanStarter, mid.PlanProfessional}
	others := []mid.Plan{{RequestsPerMinute: 60, Burst: 5}, {RequestsPerMinute: 600, Burst: 20}, {RequestsPerMinute: 6000, Burst: 100}}
	for _, plan := range slices.Concat(published, others) {
		for _, n := range []int{1, 2, 4, 8, 16} {
			t.Run(fmt.Sprintf("%+v, %d processes", plan, n), func(t *testing.T) {
				got := simulation{plan: plan, length: 2 * time.Minute, processes: several(n, 16)}.run(t)
				assert.Zero(t, got.refused, "429s")
				assert.GreaterOrEqual(t, got.goodput, 0.97)
				assert.GreaterOrEqual(t, got.least(), 0.8)
				if slices.Contains(published, plan) {
					assert.LessOrEqual(t, got.commands, 1.0)
				}
			})
		}
	}
}

// Processes come, go, die or have little to do, the server counts otherwise than the
// plan says, and Redis' clock is set.
func TestSimulatedChanges(t *testing.T) {
	plan := mid.Plan{RequestsPerMinute: 1200, Burst: 200}
	windows := mid.Plan{RequestsPerMinute: 1200, Burst: 1200}
	busy, idle := simProcess{callers: 16}, simProcess{callers: 1, pause: 4 * time.Second}
	for name, tt := range map[string]struct {
		simulation
		goodput, least float64
		refused        int
	}{
		"most have little to do": {simulation{plan: mid.PlanProfessional, processes: []simProcess{{callers: 64}, idle, idle, idle}}, 0.97, 0, 0},
		"one has little to do":   {simulation{plan: mid.PlanSandbox, processes: []simProcess{busy, idle}}, 0.97, 0, 0},
		"two die":                {simulation{plan: plan, processes: []simProcess{busy, busy, {callers: 16, dies: 5 * time.Second}, {callers: 16, dies: 5 * time.Second}}}, 0.97, 0, 0},
		"one leaves":             {simulation{plan: plan, processes: []simProcess{busy, busy, busy, {callers: 16, leave: 5 * time.Second}}}, 0.97, 0, 0},
		"one comes later":        {simulation{plan: plan, processes: []simProcess{busy, busy, {callers: 16, begin: 10 * time.Second}}}, 0.97, 0.76, 0},
		"more and fewer callers": {simulation{plan: plan, processes: []simProcess{{callers: 8}, {callers: 64}}}, 0.97, 0.8, 0},
		"silent":                 {simulation{plan: plan, silent: true, processes: several(4, 16)}, 0.97, 0.8, 0},
		"windows":                {simulation{plan: windows, window: 100, processes: several(4, 16)}, 0.97, 0.8, 0},
		"windows of the burst":   {simulation{plan: mid.Plan{RequestsPerMinute: 1200, Burst: 100}, window: 100, processes: several(4, 16)}, 0.97, 0.8, 10},
		"a window, and one dies": {simulation{plan: windows, window: 100, processes: []simProcess{busy, busy, {callers: 16, dies: 10 * time.Second}}}, 0.97, 0, 0},
		"the clock goes back":    {simulation{plan: plan, clock: -10 * time.Minute, processes: several(2, 16)}, 0.95, 0.8, 0},
		"and in windows":         {simulation{plan: windows, window: 100, clock: -10 * time.Minute, processes: several(2, 16)}, 0.85, 0.8, 0},
	} {
		t.Run(name, func(t *testing.T) {
			tt.length = time.Minute
			got := tt.run(t)
			assert.LessOrEqual(t, got.refused, tt.refused, "429s")
			assert.GreaterOrEqual(t, got.goodput, tt.goodput)
			assert.GreaterOrEqual(t, got.least(), tt.least)
		})
	}
}
