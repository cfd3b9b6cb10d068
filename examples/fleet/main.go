// Fleet shows that several processes on one account are one client of MID, through
// Redis:
//
//	go run ./examples/fleet
//
// Four workers use one quota of a fake MID server, and handle webhook events that are
// each delivered twice. Then one of them is killed, and Redis is stopped for a while.
// At the end it shows that nothing was lost.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

// plan is the account's quota: 20 requests a second, and 200 at once.
var plan = mid.Plan{RequestsPerMinute: 1200, Burst: 200}

func main() {
	if text := os.Getenv(roleEnv); text != "" {
		if err := runWorker(text); err != nil {
			fmt.Fprintln(os.Stderr, "worker:", err)
			os.Exit(1)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := show(ctx, os.Stdout, time.Second); err != nil {
		fmt.Fprintln(os.Stderr, "fleet:", err)
		os.Exit(1)
	}
}

// show runs the fleet through its day, which has 20 ticks.
func show(ctx context.Context, out io.Writer, tick time.Duration) (err error) {
	redis, err := findRedis(ctx)
	if err != nil {
		return err
	}
	defer redis.close()
	srv := midtest.NewServer(midtest.WithPlan(plan))
	defer srv.Close()
	f, err := newFleet(ctx, srv, redis.addr)
	defer f.end()
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Four workers share a quota of %d requests a minute, through Redis at %s.\n\n", plan.RequestsPerMinute, redis.addr)

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ticks := time.NewTicker(tick)
	defer ticks.Stop()
	for n := 1; n <= 20; n++ {
		f.deliverSome(ctx)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticks.C:
		}
		f.print(out, n)
		switch {
		case n == 5:
			fmt.Fprintln(out, "    --- worker 4 is killed")
			f.workers[3].kill()
		case n == 9 && redis.cmd != nil:
			fmt.Fprintln(out, "    --- Redis is stopped: the workers go by themselves, webhooks are answered 503")
			redis.stop()
		case n == 13 && redis.cmd != nil:
			fmt.Fprintln(out, "    --- Redis is started again")
			if err := redis.start(ctx); err != nil {
				return err
			}
		}
	}
	f.deliveries.Wait()
	f.end()
	return f.judge(out)
}

// fleet is the workers, and what they are given to do.
type fleet struct {
	srv        *midtest.Server
	began      time.Time
	own        int // token requests of this process, which has made the session
	workers    []*worker
	sender     sender
	deliveries sync.WaitGroup
	next       atomic.Int64
	once       sync.Once
}

// newFleet returns a fleet that has to be ended, also with an error.
func newFleet(ctx context.Context, srv *midtest.Server, redisAddr string) (*fleet, error) {
	f := &fleet{srv: srv, began: time.Now()}
	hooks, err := mid.NewWebhookService(mid.WebhookConfig{Secrets: []string{srv.WebhookSecret}})
	if err != nil {
		return f, err
	}
	f.sender = sender{hooks: hooks, pick: f.pick}
	session, err := srv.Client().Authentication.CreateSession(ctx, mid.CreateAuthSessionParams{Intent: mid.IntentLogin, Recipient: "+14155550123"})
	if err != nil {
		return f, err
	}
	f.own = srv.TokenRequests()
	for range 4 {
		w, err := startWorker(role{
			Account:   account{URL: srv.URL, ID: srv.ClientID, Secret: srv.ClientSecret, WebhookSecret: srv.WebhookSecret, Redis: redisAddr},
			SessionID: session.ID,
		})
		if err != nil {
			return f, err
		}
		f.workers = append(f.workers, w)
	}
	return f, nil
}

// pick returns the address of each worker in turn. One that was killed answers
// nothing, as with a load balancer that has not noticed yet.
func (f *fleet) pick() string {
	return f.workers[int(f.next.Add(1))%len(f.workers)].addr
}

func (f *fleet) deliverSome(ctx context.Context) {
	for range 5 {
		f.deliveries.Go(func() { f.sender.deliver(ctx) })
	}
}

func (f *fleet) end() {
	f.once.Do(func() {
		for _, w := range f.workers {
			w.end()
		}
	})
}

// totals are what the workers and the server have counted.
type totals struct {
	served, failed, refused int
	handled                 map[string]int // how often, by event
}

func (f *fleet) totals() totals {
	t := totals{handled: map[string]int{}}
	for _, w := range f.workers {
		served, failed, handled, _ := w.count()
		t.served += served
		t.failed += failed
		for _, id := range handled {
			t.handled[id]++
		}
	}
	for _, r := range f.srv.Requests() {
		if r.Status == 429 {
			t.refused++
		}
	}
	return t
}

func (f *fleet) print(out io.Writer, n int) {
	t := f.totals()
	fmt.Fprintf(out, "%3d s   served", n)
	for _, w := range f.workers {
		served, _, _, killed := w.count()
		mark := " "
		if killed {
			mark = "x"
		}
		fmt.Fprintf(out, " %4d%s", served, mark)
	}
	sent, confirmed := f.sender.counts()
	fmt.Fprintf(out, "   429s %d   token requests %d   events sent %3d, confirmed %3d\n", t.refused, f.srv.TokenRequests()-f.own, sent, confirmed)
}

var errLost = errors.New("something was lost")

// judge says what came of it.
func (f *fleet) judge(out io.Writer) error {
	t, elapsed := f.totals(), time.Since(f.began)
	allowed := float64(plan.Burst) + elapsed.Minutes()*float64(plan.RequestsPerMinute)
	sent, _ := f.sender.counts()
	twice := 0
	for _, n := range t.handled {
		if n > 1 {
			twice++
		}
	}
	fmt.Fprintf(out, "\nserved %d calls, %.0f %% of what the quota allowed; %d failed, %d were answered 429\n",
		t.served, 100*float64(t.served)/allowed, t.failed, t.refused)
	fmt.Fprintf(out, "token requests of the workers: %d\n", f.srv.TokenRequests()-f.own)
	fmt.Fprintf(out, "events: %d sent twice each, %d handled, %d of them more than once, %d lost\n", sent, len(t.handled), twice, sent-len(t.handled))
	if t.failed > 0 || len(t.handled) < sent {
		return errLost
	}
	return nil
}
