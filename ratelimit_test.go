package mid_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/mobid-io/mid-go"
)

// limits makes the headers of an answer.
func limits(limit, remaining int, reset time.Time) []string {
	return []string{
		"X-RateLimit-Limit", fmt.Sprint(limit),
		"X-RateLimit-Remaining", fmt.Sprint(remaining),
		"X-RateLimit-Reset", fmt.Sprint(reset.Unix()),
	}
}

// window is a server with a quota in fixed windows that end at whole seconds.
type window struct {
	limit   int
	length  time.Duration
	latency time.Duration
	skew    time.Duration // how far the server's clock is ahead

	mu      sync.Mutex
	end     time.Time
	used    int
	served  int
	refused int
	order   []string
}

func (w *window) handle(r *http.Request) (*http.Response, error) {
	time.Sleep(w.latency / 2)
	resp := w.serve(r)
	time.Sleep(w.latency / 2)
	return resp, nil
}

func (w *window) serve(r *http.Request) *http.Response {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now().Add(w.skew)
	if !now.Before(w.end) {
		w.end, w.used = now.Add(w.length).Truncate(time.Second), 0
	}
	date := []string{"Date", now.UTC().Format(http.TimeFormat)}
	if w.used >= w.limit {
		w.refused++
		after := fmt.Sprintf(`,"retry_after":%d`, int((w.end.Sub(now)+time.Second-1)/time.Second))
		return answer(429, problem("rate_limit_exceeded", "slow down", after), append(limits(w.limit, 0, w.end), date...)...)
	}
	w.used++
	w.served++
	w.order = append(w.order, r.URL.Query().Get("n"))
	return answer(200, ok(pendingSession), append(limits(w.limit, w.limit-w.used, w.end), date...)...)
}

// staticToken spares a test the token requests.
func staticToken() mid.Option {
	return mid.WithTokenSource(source(func(context.Context) (*oauth2.Token, error) {
		return &oauth2.Token{AccessToken: "static"}, nil
	}))
}

func TestRateLimitAsLastSeen(t *testing.T) {
	reset := time.Now().Add(time.Minute).Truncate(time.Second)
	a := &api{handle: answers(status(200, ok(pendingSession), limits(60, 59, reset)...), status(200, ok(pendingSession)))}
	c := a.client(t)
	require.Zero(t, c.RateLimit())
	var r mid.Response
	require.NoError(t, look(t.Context(), c, mid.WithResponse(&r)))
	require.Equal(t, mid.RateLimit{Limit: 60, Remaining: 59, Reset: reset}, c.RateLimit())
	require.Equal(t, c.RateLimit(), r.RateLimit)
	require.NoError(t, look(t.Context(), c, mid.WithResponse(&r)))
	require.Equal(t, 59, c.RateLimit().Remaining, "an answer that tells nothing changes nothing")
	require.Zero(t, r.RateLimit)
}

// Without a plan the headers pace: what Remaining says, less what is in
// flight, may go; then all wait for Reset. No request is refused, whatever the
// clocks say.
func TestHeadersPaceRequests(t *testing.T) {
	for _, skew := range []time.Duration{0, 700 * time.Millisecond, -300 * time.Millisecond, time.Hour, -time.Hour} {
		t.Run(skew.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &window{limit: 20, length: 10 * time.Second, latency: 100 * time.Millisecond, skew: skew}
				c := (&api{handle: w.handle}).client(t, staticToken(), mid.WithRetry(mid.RetryPolicy{MaxRetryAfter: time.Hour}))
				require.NoError(t, look(t.Context(), c)) // tells the quota
				start := time.Now()
				var wg sync.WaitGroup
				for range 99 {
					wg.Go(func() {
						if err := look(t.Context(), c); err != nil {
							t.Error(err)
						}
					})
				}
				wg.Wait()
				require.Zero(t, w.refused)
				require.Equal(t, 100, w.served)
				require.Less(t, time.Since(start), 46*time.Second, "five windows of 20")
			})
		})
	}
}

// A 429 pauses every goroutine of the client, not just the one that got it.
func Test429PausesTheWholeClient(t *testing.T) {
	for _, opt := range []mid.Option{staticToken(), mid.WithPlan(mid.PlanProfessional)} {
		synctest.Test(t, func(t *testing.T) {
			a := &api{handle: answers(
				status(429, problem("rate_limit_exceeded", "slow down", `,"retry_after":10`)),
				status(200, ok(pendingSession)))}
			c := a.client(t, opt)
			start := time.Now()
			go func() { _ = look(t.Context(), c) }()
			synctest.Wait()
			for range 5 {
				require.NoError(t, look(t.Context(), c))
			}
			for _, s := range a.sent()[1:] {
				require.GreaterOrEqual(t, s.At.Sub(start), 10*time.Second)
			}
		})
	}
}

func Test429WithoutAWaitPausesToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &api{handle: answers(status(429, "slow"), status(200, ok(pendingSession)))}
		c := a.client(t)
		start := time.Now()
		require.Error(t, look(t.Context(), c, mid.WithoutRetry()))
		require.NoError(t, look(t.Context(), c))
		require.Equal(t, time.Second, time.Since(start))
	})
}

// With a plan requests are paced ahead of the limit: the burst at once, then
// one every 60/RequestsPerMinute seconds; token requests count.
func TestPlanPacesRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &api{handle: session}
		c := a.client(t, mid.WithPlan(mid.Plan{RequestsPerMinute: 60, Burst: 5}))
		start := time.Now()
		for range 4 {
			require.NoError(t, look(t.Context(), c))
		}
		require.Zero(t, time.Since(start))
		for n := 1; n <= 3; n++ {
			require.NoError(t, look(t.Context(), c))
			require.WithinDuration(t, start.Add(time.Duration(n)*time.Second), time.Now(), time.Millisecond)
		}
		require.Equal(t, 1, a.tokenRequests())
	})
}

// First come, first served.
func TestQueueIsFair(t *testing.T) {
	for name, opt := range map[string]mid.Option{"headers": staticToken(), "plan": mid.WithPlan(mid.Plan{RequestsPerMinute: 60, Burst: 1})} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &window{limit: 1, length: time.Second}
				if name == "plan" {
					w.limit = 1000
				}
				c := (&api{handle: w.handle}).client(t, staticToken(), opt)
				require.NoError(t, c.Call(t.Context(), "GET", "/x?n=first", nil, nil))
				var wg sync.WaitGroup
				for i := range 30 {
					wg.Go(func() {
						if err := c.Call(t.Context(), "GET", fmt.Sprintf("/x?n=%d", i), nil, nil); err != nil {
							t.Error(err)
						}
					})
					synctest.Wait()
				}
				wg.Wait()
				require.Len(t, w.order, 31)
				for i, n := range w.order[1:] {
					require.Equal(t, fmt.Sprint(i), n)
				}
			})
		})
	}
}

// A wait that would outlive the ctx fails at once, and says how long it would
// have been.
func TestWaitPastTheDeadlineFailsAtOnce(t *testing.T) {
	for name, opts := range map[string][]mid.Option{
		"headers": {staticToken()},
		"plan":    {staticToken(), mid.WithPlan(mid.Plan{RequestsPerMinute: 2, Burst: 1})},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &api{handle: status1(200, ok(pendingSession), 60, 0, 30*time.Second)}
				c := a.client(t, opts...)
				require.NoError(t, look(t.Context(), c))
				start := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), 29*time.Second)
				defer cancel()
				var r mid.Response
				err := look(ctx, c, mid.WithResponse(&r))
				require.Zero(t, time.Since(start))
				limitErr, ok := errors.AsType[*mid.RateLimitError](err)
				require.True(t, ok, "%v", err)
				require.InDelta(t, 30, limitErr.RetryAfter.Seconds(), 1)
				require.ErrorIs(t, err, mid.ErrRateLimited)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.Len(t, a.sent(), 1)
				require.Zero(t, r.Attempts)
				require.NoError(t, look(t.Context(), c), "without a deadline it waits")
				require.InDelta(t, 30, time.Since(start).Seconds(), 1)
			})
		})
	}
}

// status1 answers with a quota whose window ends after reset.
func status1(code int, body string, limit, remaining int, reset time.Duration) func(*http.Request) (*http.Response, error) {
	var end time.Time
	return func(*http.Request) (*http.Response, error) {
		if time.Now().After(end) {
			end = time.Now().Add(reset).Truncate(time.Second)
		}
		return answer(code, body, limits(limit, remaining, end)...), nil
	}
}

func TestWaitOverMaxRetryAfterFailsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &api{handle: session}
		c := a.client(t, staticToken(), mid.WithPlan(mid.Plan{RequestsPerMinute: 1, Burst: 1}),
			mid.WithRetry(mid.RetryPolicy{MaxRetryAfter: 59 * time.Second}))
		require.NoError(t, look(t.Context(), c))
		start := time.Now()
		err := look(t.Context(), c)
		require.Zero(t, time.Since(start))
		require.ErrorIs(t, err, mid.ErrRateLimited)
		require.NotErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "try again in 1m0s")
		require.ErrorContains(t, err, "MaxRetryAfter")
	})
}

// Who waits already is refused as soon as a 429 makes the wait too long.
func TestPauseRefusesThoseWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := true
		a := &api{}
		a.handle = func(r *http.Request) (*http.Response, error) {
			if !first {
				return session(r)
			}
			first = false
			time.Sleep(2 * time.Second)
			return answer(429, problem("rate_limit_exceeded", "slow down", `,"retry_after":60`)), nil
		}
		c := a.client(t, staticToken(), mid.WithPlan(mid.Plan{RequestsPerMinute: 6, Burst: 1}))
		start := time.Now()
		go func() { _ = look(t.Context(), c) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		require.ErrorIs(t, look(ctx, c), mid.ErrRateLimited)
		require.Equal(t, 2*time.Second, time.Since(start))
	})
}

// A caller whose ctx ends leaves the queue, and the others move up.
func TestLeavingTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &api{handle: session}
		c := a.client(t, staticToken(), mid.WithPlan(mid.Plan{RequestsPerMinute: 6, Burst: 1}))
		start := time.Now()
		require.NoError(t, look(t.Context(), c))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- look(ctx, c) }()
		synctest.Wait()
		go func() { done <- look(t.Context(), c) }()
		time.Sleep(time.Second)
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
		require.Equal(t, time.Second, time.Since(start))
		require.NoError(t, <-done)
		require.InDelta(t, 10, time.Since(start).Seconds(), 0.01)
	})
}

// Limiter time is not attempt-timeout time.
func TestLimiterTimeIsNotAttemptTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &api{handle: session}
		own := &http.Client{Transport: a, Timeout: time.Second}
		c, err := mid.NewClient(testID, testSecret, mid.WithHTTPClient(own), staticToken(),
			mid.WithPlan(mid.Plan{RequestsPerMinute: 1, Burst: 1}), mid.WithAttemptTimeout(time.Second))
		require.NoError(t, err)
		require.NoError(t, look(t.Context(), c))
		require.NoError(t, look(t.Context(), c))
		require.Len(t, a.sent(), 2)
	})
}

// recorder is a user's limiter.
type recorder struct {
	mu       sync.Mutex
	waits    int
	observed []mid.RequestOutcome
	refuse   error
}

func (r *recorder) Wait(context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waits++
	return r.refuse
}

func (r *recorder) Observe(o mid.RequestOutcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.observed = append(r.observed, o)
}

// A limiter sees every wire send, token requests and failures included, and
// Reset on the local clock.
func TestLimiterSeesEverySend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hourAhead := time.Now().Add(time.Hour)
		a := &api{handle: answers(
			failed(errors.New("reset by peer")),
			status(429, problem("rate_limit_exceeded", "slow", `,"retry_after":3`)),
			status(200, ok(pendingSession), append(limits(60, 59, hourAhead.Add(30*time.Second)), "Date", hourAhead.UTC().Format(http.TimeFormat))...))}
		l := new(recorder)
		require.NoError(t, look(t.Context(), a.client(t, mid.WithLimiter(l))))
		require.Equal(t, 4, l.waits)
		require.Len(t, l.observed, 4)
		// The token request, a lost one, a 429 and a success.
		require.Equal(t, []mid.RequestOutcome{{Sent: true}, {Sent: true}, {Sent: true, RetryAfter: 3 * time.Second}}, l.observed[:3])
		require.True(t, l.observed[3].Sent)
		require.Zero(t, l.observed[3].RetryAfter)
		got := l.observed[3].RateLimit
		require.Equal(t, 60, got.Limit)
		require.Equal(t, 59, got.Remaining)
		// Its Date was an hour ahead when the test began, some seconds ago.
		require.Equal(t, 30*time.Second, time.Until(got.Reset))
	})
}

func TestLimiterRefusalIsFinal(t *testing.T) {
	a := &api{handle: session}
	l := &recorder{refuse: errors.New("the shared limiter is down")}
	err := look(t.Context(), a.client(t, mid.WithLimiter(l)))
	require.ErrorIs(t, err, l.refuse)
	require.Equal(t, 1, l.waits)
	require.Empty(t, l.observed)
	require.Zero(t, a.tokenRequests())
}
