package mid_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// account is a server that counts every request in fixed windows, token requests
// too, and refuses tokens that have expired or were revoked.
type account struct {
	api
	window   window
	lifetime time.Duration

	mu      sync.Mutex
	issued  map[string]time.Time
	refused int // sends with a token that was not good
}

func newAccount(limit int, lifetime time.Duration) *account {
	s := &account{
		window:   window{limit: limit, length: time.Minute, latency: 100 * time.Millisecond},
		lifetime: lifetime,
		issued:   make(map[string]time.Time),
	}
	s.handle = s.serve
	s.token = func(n int) (*http.Response, error) {
		resp, err := s.window.handle(&http.Request{URL: new(url.URL)})
		if err != nil || resp.StatusCode != http.StatusOK {
			return resp, err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.issued[fmt.Sprint("Bearer token-", n)] = time.Now().Add(-s.window.latency)
		issued := tokenAnswer(n, s.lifetime)
		resp.Body = issued.Body
		return resp, nil
	}
	return s
}

func (s *account) serve(r *http.Request) (*http.Response, error) {
	resp, err := s.window.handle(r)
	if err != nil || resp.StatusCode != http.StatusOK {
		return resp, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	issued, ok := s.issued[r.Header.Get("Authorization")]
	if ok && time.Since(issued) < s.lifetime+s.window.latency {
		return resp, nil
	}
	s.refused++
	resp.StatusCode = http.StatusUnauthorized
	resp.Body = readCloser(problem("unauthorized", "the token is not good", ""))
	return resp, nil
}

func (s *account) revoke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.issued)
}

// run has as many callers make a call each, and returns how long all took.
func (s *account) run(t *testing.T, c *mid.Client, callers int) time.Duration {
	t.Helper()
	start := time.Now()
	var wg sync.WaitGroup
	for n := range callers {
		if n == 1 {
			wg.Wait() // the first call's answer reports the quota
		}
		wg.Go(func() {
			if err := c.Call(t.Context(), "GET", fmt.Sprint("/x?n=", n), nil, nil); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait() // so that the order in the queue is known
	}
	wg.Wait()
	return time.Since(start)
}

// A call that waits in the queue for longer than a token lives is sent with a
// new one, in its turn, and costs one place of the quota.
func TestTokensThatLiveNoLongerThanTheQueue(t *testing.T) {
	for _, lifetime := range []time.Duration{4 * time.Second, 30 * time.Second, time.Minute, 90 * time.Second} {
		t.Run(lifetime.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const limit, callers = 20, 90
				s := newAccount(limit, lifetime)
				c := s.client(t, mid.WithRetry(mid.RetryPolicy{MaxRetryAfter: time.Hour}))
				took := s.run(t, c, callers)
				require.Zero(t, s.refused, "sends with a token that had expired")
				require.Zero(t, s.window.refused, "429s")
				require.Len(t, s.sent(), callers)
				require.Equal(t, callers+s.tokenRequests(), s.window.served, "each call costs one place")
				windows := int(took/time.Minute) + 1
				require.LessOrEqual(t, s.tokenRequests(), windows+1)
				require.Equal(t, (callers+s.tokenRequests()+limit-1)/limit, windows)
			})
		})
	}
}

// A token that is refused to one call is not sent by those that wait in the
// queue behind it.
func TestARefusedTokenIsNotSentFromTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit = 20
		s := newAccount(limit, time.Hour)
		c := s.client(t, mid.WithRetry(mid.RetryPolicy{MaxRetryAfter: time.Hour}))
		time.AfterFunc(30*time.Second, s.revoke) // while most wait in the queue
		s.run(t, c, 4*limit)
		require.Positive(t, s.refused)
		require.LessOrEqual(t, s.refused, limit, "only what left before the first refusal")
		require.Equal(t, 2, s.tokenRequests())
		require.Zero(t, s.window.refused)
	})
}

// Calls that wait for a token keep their order: the one that had its turn first
// is sent first, and the one that lent its place goes before the queue.
func TestTheQueueKeepsItsOrderWhenTheTokenExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit, callers = 10, 38
		s := newAccount(limit, 30*time.Second)
		c := s.client(t, mid.WithRetry(mid.RetryPolicy{MaxRetryAfter: time.Hour}))
		s.run(t, c, callers)
		windows := make(map[int][]string)
		served := 0
		for _, n := range s.window.order {
			windows[served/limit] = append(windows[served/limit], n)
			served++
		}
		place := 0
		for w := range len(windows) {
			for _, n := range windows[w] {
				if n == "" {
					continue // a token request
				}
				got := 0
				_, err := fmt.Sscan(n, &got)
				require.NoError(t, err)
				// Within a window the requests are under way at once, and the one that
				// lent its place is sent in the next at the latest.
				require.InDelta(t, place, got, 2*limit, strings.Join(s.window.order, " "))
				place++
			}
		}
		require.Equal(t, callers, place)
	})
}
