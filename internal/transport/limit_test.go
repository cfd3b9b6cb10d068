package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"
)

// wire is what is below the stage under test. Like [Attempt], it counts the
// sends of a call.
type wire func(req *http.Request) (*http.Response, error)

func (w wire) RoundTrip(req *http.Request) (*http.Response, error) {
	callOf(req).Attempts++
	return w(req)
}

// quota is a limiter that counts, and gives as many places as it has.
type quota struct {
	places chan struct{} // nil: any number

	mu           sync.Mutex
	waited       int
	sent, unsent int
	answered     int
}

func newQuota(places int) *quota {
	q := &quota{places: make(chan struct{}, places)}
	for range places {
		q.places <- struct{}{}
	}
	return q
}

func (q *quota) wait(ctx context.Context) error {
	select {
	case <-q.places:
		q.mu.Lock()
		defer q.mu.Unlock()
		q.waited++
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// observe takes a place that was used for used up.
func (q *quota) observe(answer *http.Response, sent bool) {
	if !sent {
		defer func() { q.places <- struct{}{} }() // without the lock
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if answer != nil {
		q.answered++
	}
	if sent {
		q.sent++
	} else {
		q.unsent++
	}
}

func request(t testing.TB, ctx context.Context) *http.Request { //nolint:revive // as in package testing's own helpers
	t.Helper()
	call := newCall(ctx, http.MethodGet, nil)
	req, err := http.NewRequestWithContext(call, http.MethodGet, "https://api.example.com/v1/x", nil)
	require.NoError(t, err)
	call.URL = *req.URL
	return req
}

// What the limiter refuses is final, and neither sent nor observed.
func TestRefusalIsFinal(t *testing.T) {
	refusal := errors.New("refused")
	l := &Limit{
		Next:    wire(func(*http.Request) (*http.Response, error) { panic("sent") }),
		Wait:    func(context.Context) error { return refusal },
		Observe: func(*http.Response, bool) { t.Error("observed") },
		Places:  new(Places),
	}
	for _, prepare := range []func(*Call) error{nil, func(*Call) error { panic("prepared") }} {
		l.Prepare = prepare
		_, err := l.RoundTrip(request(t, t.Context()))
		require.ErrorIs(t, err, refusal)
		require.False(t, Mendable(err))
	}
}

// The limiter learns how each request ended: with an answer, without one, or
// without having left. One that ends in a panic may have left.
func TestEachRequestIsObservedOnce(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	for name, test := range map[string]struct {
		err          error
		sent, answer bool
	}{
		"answered":           {nil, true, true},
		"reset":              {&net.OpError{Op: "read", Net: "tcp", Err: errors.New("connection reset")}, true, false},
		"refused":            {fmt.Errorf("wrapped: %w", refused), false, false},
		"no proxy":           {&net.OpError{Op: "proxyconnect", Net: "tcp", Err: refused}, false, false},
		"no SOCKS proxy":     {&net.OpError{Op: "socks connect", Net: "tcp", Err: errors.New("refused")}, false, false},
		"unresolved":         {&net.DNSError{Err: "no such host", Name: "api.example.com"}, false, false},
		"another's identity": {&tls.CertificateVerificationError{Err: errors.New("unknown authority")}, false, false},
		"cut off":            {io.ErrUnexpectedEOF, true, false},
	} {
		q := newQuota(1)
		l := &Limit{Wait: q.wait, Observe: q.observe, Places: new(Places), Next: wire(func(*http.Request) (*http.Response, error) {
			if test.err != nil {
				return nil, test.err
			}
			return answered(200, ""), nil
		})}
		_, err := l.RoundTrip(request(t, t.Context()))
		require.ErrorIs(t, err, test.err, name)
		require.Equal(t, test.sent, q.sent == 1, name)
		require.Equal(t, !test.sent, q.unsent == 1, name)
		require.Equal(t, test.answer, q.answered == 1, name)
	}

	q := newQuota(1)
	l := &Limit{Wait: q.wait, Observe: q.observe, Places: new(Places),
		Next: wire(func(*http.Request) (*http.Response, error) { panic("middleware's") })}
	require.PanicsWithValue(t, "middleware's", func() { _, _ = l.RoundTrip(request(t, t.Context())) })
	require.Equal(t, 1, q.sent)
	require.Zero(t, q.unsent+q.answered)
}

type unopened struct{ Body }

func (unopened) Open() (io.ReadCloser, error) { return nil, errors.New("the file is gone") }

// A request whose body can't be opened has not left.
func TestWhatIsNotHandedOnIsNotSent(t *testing.T) {
	q := newQuota(1)
	l := &Limit{Wait: q.wait, Observe: q.observe, Places: new(Places),
		Next: &Bearer{Next: wire(func(*http.Request) (*http.Response, error) { panic("sent") })}}
	req := request(t, t.Context())
	callOf(req).Body = unopened{bytesOf("x")}
	_, err := l.RoundTrip(req)
	require.ErrorContains(t, err, "the file is gone")
	require.Equal(t, 1, q.unsent)
	require.Zero(t, q.sent)
}

// stages are the limiter's stages of calls and of token requests over one wire.
type stages struct {
	*quota
	calls, tokens *Limit
	asked         int // token requests
}

// newStages makes them; each call gets its token by a token request.
func newStages(places int, next wire) *stages {
	s := &stages{quota: newQuota(places)}
	shared := new(Places)
	s.tokens = &Limit{Next: next, Wait: s.wait, Observe: s.observe, Places: shared}
	bearer := &Bearer{Next: next, Token: func(ctx context.Context) (*oauth2.Token, error) {
		s.asked++
		call := newCall(context.WithoutCancel(ctx), http.MethodPost, nil)
		req, err := http.NewRequestWithContext(call, http.MethodPost, "https://api.example.com/v1/auth/token", nil)
		if err != nil {
			return nil, err
		}
		if _, err := s.tokens.RoundTrip(req); err != nil {
			return nil, err
		}
		return &oauth2.Token{AccessToken: fmt.Sprint("token-", s.asked)}, nil
	}}
	s.calls = &Limit{Next: bearer, Wait: s.wait, Observe: s.observe, Places: shared, Prepare: bearer.Prepare}
	return s
}

// The quota's only place goes to the token request that its call waits for; the
// call waits for the next, ahead of the others, and is sent once.
func TestACallLendsItsPlaceToItsTokenRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var paths []string
		s := newStages(1, func(req *http.Request) (*http.Response, error) {
			paths = append(paths, req.URL.Path+" "+req.Header.Get("Authorization"))
			return answered(200, ""), nil
		})
		req := request(t, t.Context())
		done := make(chan error)
		go func() {
			_, err := s.calls.RoundTrip(req)
			done <- err
		}()
		synctest.Wait()
		require.Len(t, paths, 1, "the call waits for a place")
		require.True(t, Ahead(req.Context()))
		time.Sleep(placeLife - 1)
		s.places <- struct{}{}
		require.NoError(t, <-done)
		require.False(t, Ahead(req.Context()), "the next attempt queues as others do")
		require.Equal(t, []string{"/v1/auth/token ", "/v1/x Bearer token-1"}, paths)
		require.Equal(t, []int{2, 2, 0}, []int{s.waited, s.sent, s.unsent})
		require.Empty(t, s.calls.Places.idle)
	})
}

// While a token request waits for a place, no call keeps one: it would wait for
// the token for ever.
func TestNoPlaceIsKeptFromATokenRequestThatQueues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStages(0, func(*http.Request) (*http.Response, error) { return answered(200, ""), nil })
		renewal, get := request(t, t.Context()), request(t, t.Context())
		renewed := make(chan error)
		go func() {
			_, err := s.tokens.RoundTrip(renewal)
			renewed <- err
			close(renewed)
		}()
		synctest.Wait()
		require.True(t, Ahead(renewal.Context()))
		s.calls.Prepare = func(*Call) error {
			<-renewed // the call needs the token that is being renewed
			return nil
		}
		done := make(chan error)
		go func() {
			_, err := s.calls.RoundTrip(get)
			done <- err
		}()
		s.places <- struct{}{} // whichever gets it, both are served in the end
		synctest.Wait()
		s.places <- struct{}{}
		require.NoError(t, <-done)
		require.Equal(t, 2, s.sent)
	})
}

// An application's limiter has no lanes: a call that waits for another place is the
// last of its queue. The others go on meanwhile, with their places, also while a token
// is renewed.
func TestCallsKeepTheirPlacesWhileOneWaitsForAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const interval, callers = 100 * time.Millisecond, 20
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		s := newStages(0, func(*http.Request) (*http.Response, error) { return answered(200, ""), nil })
		fetch := s.calls.Prepare
		token := sync.OnceValue(func() error { return fetch(newCall(ctx, http.MethodGet, nil)) })
		s.calls.Prepare = func(*Call) error { return token() }
		var all sync.WaitGroup
		for range callers {
			all.Go(func() {
				for {
					if _, err := s.calls.RoundTrip(request(t, ctx)); err != nil {
						return
					}
				}
			})
		}
		for range 100 {
			time.Sleep(interval)
			s.places <- struct{}{}
		}
		renewal := request(t, ctx)
		all.Go(func() {
			_, err := s.tokens.RoundTrip(renewal)
			assert.NoError(t, err)
		})
		for range 51 {
			time.Sleep(interval)
			s.places <- struct{}{}
		}
		cancel()
		all.Wait()
		require.Equal(t, []int{151, 151, 0}, []int{s.waited, s.sent, s.unsent})
	})
}

// A token request that takes a call's place gives back what else it gets, and all if
// the limiter panics or its own context ends.
func TestATokenRequestUsesOnePlace(t *testing.T) {
	for name, test := range map[string]struct {
		wait func(ctx context.Context) error // a limiter's, for the token request
		want []int                           // sent, unsent
	}{
		"it leaves": {func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}, []int{1, 0}},
		"its own place comes": {func(ctx context.Context) error {
			<-ctx.Done()
			return nil
		}, []int{1, 1}},
		"the limiter panics": {func(ctx context.Context) error {
			<-ctx.Done()
			panic("the limiter's")
		}, []int{0, 1}},
		"it ends": {func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(time.Hour)
			return nil
		}, []int{0, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStages(1, func(*http.Request) (*http.Response, error) { return answered(200, ""), nil })
				s.places = make(chan struct{}, 10)
				s.places <- struct{}{}
				s.tokens.Wait = test.wait
				s.calls.Prepare = func(c *Call) error {
					<-c.Done()
					return c.Err()
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				renewal, get := request(t, ctx), request(t, ctx)
				var all sync.WaitGroup
				all.Go(func() {
					defer func() { _ = recover() }()
					_, _ = s.tokens.RoundTrip(renewal)
				})
				synctest.Wait()
				all.Go(func() { _, _ = s.calls.RoundTrip(get) })
				all.Wait()
				require.Equal(t, test.want, []int{s.sent, s.unsent})
				require.Empty(t, s.calls.Places.queued)
			})
		})
	}
}

// A place that was handed on is as old as it was, and its new owner uses it.
func TestAPlaceThatWasHandedOnIsUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStages(2, func(req *http.Request) (*http.Response, error) {
			if req.URL.Path == "/v1/auth/token" {
				time.Sleep(placeLife + 200*time.Millisecond)
			}
			return answered(200, ""), nil
		})
		first, second := request(t, t.Context()), request(t, t.Context())
		fetch, fetched := s.calls.Prepare, make(chan struct{})
		s.calls.Prepare = func(call *Call) error {
			if call == callOf(first) {
				defer close(fetched)
				return fetch(call)
			}
			<-fetched
			return nil
		}
		var all sync.WaitGroup
		all.Go(func() { _, _ = s.calls.RoundTrip(first) })
		time.Sleep(placeLife) // its place is lent
		all.Go(func() { _, _ = s.calls.RoundTrip(second) })
		time.Sleep(300 * time.Millisecond)
		synctest.Wait()
		require.Equal(t, []int{2, 0}, []int{s.sent, s.unsent})
		require.Equal(t, 1, callOf(first).Attempts)
		s.places <- struct{}{}
		all.Wait()
	})
}

// A place that was kept for long is given back: in a window that has begun
// meanwhile, the request would be one too many.
func TestAPlaceIsNotKeptForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for slow, want := range map[time.Duration][]int{
			placeLife / 2: {1, 1, 0},
			placeLife * 2: {2, 1, 1},
		} {
			q := newQuota(1)
			asked := 0
			l := &Limit{Wait: q.wait, Observe: q.observe, Places: new(Places),
				Next: wire(func(*http.Request) (*http.Response, error) { return answered(200, ""), nil }),
				Prepare: func(*Call) error {
					if asked++; asked == 1 {
						time.Sleep(slow)
					}
					return nil
				}}
			_, err := l.RoundTrip(request(t, t.Context()))
			require.NoError(t, err)
			require.Equal(t, want, []int{q.waited, q.sent, q.unsent}, "after %v", slow)
		}
	})
}

// Where each token uses up the place of the call that it is for, the call is
// sent in the end, with the last token, for the server to judge.
func TestAPlaceIsNotLentForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStages(10, func(*http.Request) (*http.Response, error) { return answered(200, ""), nil })
		wait := s.calls.Wait
		s.calls.Wait = func(ctx context.Context) error {
			time.Sleep(time.Minute) // longer than a token lives
			return wait(ctx)
		}
		_, err := s.calls.RoundTrip(request(t, t.Context()))
		require.NoError(t, err)
		require.Equal(t, maxTurns, s.asked)
		require.Equal(t, []int{maxTurns + 1, maxTurns + 1, 0}, []int{s.waited, s.sent, s.unsent})
	})
}

// A call that gets no token gives its place back, whether its token cache fails
// or panics.
func TestACallWithoutATokenGivesItsPlaceBack(t *testing.T) {
	q := newQuota(1)
	broken := errors.New("broken")
	l := &Limit{Wait: q.wait, Observe: q.observe, Places: new(Places), Prepare: func(*Call) error { return broken }}
	_, err := l.RoundTrip(request(t, t.Context()))
	require.ErrorIs(t, err, broken)
	require.Equal(t, []int{1, 0, 1}, []int{q.waited, q.sent, q.unsent})

	l.Prepare = func(*Call) error { panic("the cache's") }
	require.PanicsWithValue(t, "the cache's", func() { _, _ = l.RoundTrip(request(t, t.Context())) })
	require.Equal(t, []int{2, 0, 2}, []int{q.waited, q.sent, q.unsent})
	require.Empty(t, l.Places.idle)
}
