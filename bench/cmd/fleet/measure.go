package main

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

const (
	// callers are those of each process that is to use as much as it may.
	callers = 8
	// logged is how many requests the server remembers.
	logged = 10_000
)

// fleet is what is measured: some processes on one account.
type fleet struct {
	redis      string // host and port
	contestant string
	plan       mid.Plan
	processes  int
}

// loaded is what came of processes that each send as much as they may.
type loaded struct {
	served, refused, failed int
	goodput                 float64 // served of what the server's bucket allowed
	least                   float64 // what the least served got of the mean
	trips                   float64 // for each request that was served
	failure                 string  // the first
}

// roomy is what came of processes that stay below the limit.
type roomy struct {
	calls    int
	refused  int
	p50, p99 time.Duration // from the call to its sending
	trips    float64       // for each call
}

// load has the processes use as much as they may for some seconds.
func (f fleet) load(seconds float64) (loaded, error) {
	seen, err := f.run(func(r *role) { r.Seconds, r.Callers = seconds, callers })
	if err != nil {
		return loaded{}, err
	}
	var l loaded
	end := seen.begun.Add(time.Duration(seconds * float64(time.Second)))
	for _, r := range seen.requests {
		switch {
		case r.Time.After(end):
		case r.Status == http.StatusTooManyRequests:
			l.refused++
		default:
			l.served++
		}
	}
	// The bucket was full at the first request, which a process sent to be ready.
	allowed := float64(f.plan.Burst) + end.Sub(seen.requests[0].Time).Minutes()*float64(f.plan.RequestsPerMinute)
	l.goodput = float64(l.served) / allowed
	var trips int64
	for _, o := range seen.outcomes {
		trips += o.RoundTrips
		l.failed += o.Failed
		if l.failure == "" {
			l.failure = o.Error
		}
	}
	l.trips = float64(trips) / float64(l.served)
	l.least = leastOfMean(seen.outcomes)
	return l, nil
}

// leastOfMean is how the least served process compares with the mean.
func leastOfMean(outcomes []outcome) float64 {
	least, sum := len(outcomes[0].Served), 0
	for _, o := range outcomes {
		least, sum = min(least, len(o.Served)), sum+len(o.Served)
	}
	if sum == 0 {
		return 0
	}
	return float64(least*len(outcomes)) / float64(sum)
}

// room has the processes make half as many calls as the burst has room for, evenly
// over some seconds.
func (f fleet) room(seconds float64) (roomy, error) {
	each := max(f.plan.Burst/2/f.processes, 1)
	seen, err := f.run(func(r *role) {
		r.Calls, r.Every = each, time.Duration(seconds/float64(each)*float64(time.Second))
	})
	if err != nil {
		return roomy{}, err
	}
	var m roomy
	var delays []time.Duration
	var trips int64
	for _, o := range seen.outcomes {
		if o.Failed > 0 {
			return roomy{}, fmt.Errorf("%s: a call below the limit failed: %s", f.contestant, o.Error)
		}
		delays = append(delays, o.Delays...)
		trips += o.RoundTrips
	}
	for _, r := range seen.requests {
		if r.Status == http.StatusTooManyRequests {
			m.refused++
		}
	}
	slices.Sort(delays)
	m.calls = len(delays)
	m.p50, m.p99 = delays[m.calls/2], delays[m.calls*99/100]
	m.trips = float64(trips) / float64(m.calls)
	return m, nil
}

// seen is what the processes said and what their server has seen.
type seen struct {
	begun    time.Time // when the processes were let go, which were ready
	outcomes []outcome
	requests []midtest.Request // by the time that they came
}

// run runs the processes against a server of their own.
func (f fleet) run(task func(*role)) (seen, error) {
	srv := midtest.NewServer(midtest.WithPlan(f.plan))
	defer srv.Close()
	running := make([]*process, 0, f.processes)
	defer func() {
		for _, p := range running {
			p.kill()
		}
	}()
	for range f.processes {
		r := role{
			Contestant: f.contestant, Redis: f.redis, Account: srv.URL, Plan: f.plan,
			URL: srv.URL, ClientID: srv.ClientID, Secret: srv.ClientSecret,
		}
		task(&r)
		p, err := r.start()
		if err != nil {
			return seen{}, err
		}
		running = append(running, p)
	}
	for _, p := range running {
		var ready string
		if err := p.read(&ready); err != nil {
			return seen{}, err
		}
	}
	got := seen{begun: time.Now(), outcomes: make([]outcome, len(running))}
	for _, p := range running {
		if err := p.begin(); err != nil {
			return seen{}, err
		}
	}
	for i, p := range running {
		if err := p.read(&got.outcomes[i]); err != nil {
			return seen{}, err
		}
	}
	got.requests = srv.Requests()
	switch {
	case len(got.requests) == 0:
		return seen{}, errors.New("the server was asked nothing")
	case len(got.requests) >= logged:
		return seen{}, errors.New("the server has seen more requests than it remembers")
	}
	slices.SortFunc(got.requests, func(a, b midtest.Request) int { return a.Time.Compare(b.Time) })
	return got, nil
}
