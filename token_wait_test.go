package mid_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/mobid-io/mid-go"
)

// A token that expires while its request waits for the limiter is not sent: an
// upload that can be read only once would be lost to the 401.
func TestTokenThatExpiresInTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issued := map[string]time.Time{}
		a := &api{token: func(n int) (*http.Response, error) {
			issued[fmt.Sprint("Bearer token-", n)] = time.Now()
			return tokenAnswer(n, time.Minute), nil
		}}
		a.handle = func(r *http.Request) (*http.Response, error) {
			if time.Since(issued[r.Header.Get("Authorization")]) >= time.Minute {
				return answer(401, problem("unauthorized", "expired", "")), nil
			}
			left := max(2-len(a.sent())*2, 0) // the first answer says that no more may go
			return answer(200, ok(`{"id":"doc_1","session_id":"doc_1","status":"pending"}`), limits(10, left, time.Now().Add(90*time.Second))...), nil
		}
		c := a.client(t)
		require.NoError(t, c.Call(t.Context(), "GET", "/x", nil, nil))
		once := mid.FileFromReader("a.pdf", io.MultiReader(strings.NewReader("%PDF-1.7")))
		start := time.Now()
		document, err := c.Signing.UploadDocument(t.Context(), mid.UploadSigningDocumentParams{File: once})
		require.NoError(t, err)
		require.Equal(t, "doc_1", document.ID)
		require.GreaterOrEqual(t, time.Since(start), 89*time.Second, "it waited for longer than the token lived")
		require.Len(t, a.sent(), 2)
		require.Contains(t, last(a.sent()).Body, "%PDF-1.7")
	})
}

// hesitant is a limiter that takes two seconds for everyone, and counts.
type hesitant struct{ waited, observed int }

func (h *hesitant) Wait(context.Context) error {
	time.Sleep(2 * time.Second)
	h.waited++
	return nil
}

func (h *hesitant) Observe(mid.RequestOutcome) { h.observed++ }

// A token that never outlives the queue is got when the request's turn has come,
// and is sent; the limiter learns of every turn that it gave, used or not.
func TestTokenThatNeverOutlivesTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		brief := source(func(context.Context) (*oauth2.Token, error) {
			return &oauth2.Token{AccessToken: "brief", Expiry: time.Now().Add(time.Second)}, nil
		})
		a := &api{handle: answers(status(200, ok(pendingSession)))}
		queue := new(hesitant)
		require.NoError(t, look(t.Context(), a.client(t, mid.WithTokenSource(brief), mid.WithLimiter(queue), mid.WithRetry(mid.RetryPolicy{}))))
		require.Len(t, a.sent(), 1)
		require.Equal(t, hesitant{waited: 1, observed: 1}, *queue)

		// The token request passes the limiter too: it takes the call's turn, and
		// the call waits for its next for longer than the token lives.
		a.token = func(n int) (*http.Response, error) { return tokenAnswer(n, time.Second), nil }
		*queue = hesitant{}
		require.NoError(t, look(t.Context(), a.client(t, mid.WithLimiter(queue), mid.WithRetry(mid.RetryPolicy{}))))
		require.Len(t, a.sent(), 2)
		require.Equal(t, 3, a.tokenRequests())
		require.Equal(t, hesitant{waited: 4, observed: 4}, *queue)
	})
}

// line is a limiter that lets one go each second, first come, first served.
type line struct {
	mu           sync.Mutex
	next         time.Time
	sent, unsent int
}

func (l *line) Wait(ctx context.Context) error {
	l.mu.Lock()
	if now := time.Now(); l.next.Before(now) {
		l.next = now
	}
	turn := time.NewTimer(time.Until(l.next))
	l.next = l.next.Add(time.Second)
	l.mu.Unlock()
	defer turn.Stop()
	select {
	case <-turn.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *line) Observe(o mid.RequestOutcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if o.Sent {
		l.sent++
	} else {
		l.unsent++
	}
}

// The first call's turn goes to the token request. In a limiter of the application's
// own it comes last then, and no other call gives up its turn for it.
func TestTurnsOfALimiterAreUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, l := &api{handle: session}, new(line)
		c := a.client(t, mid.WithLimiter(l))
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for range 5 {
					assert.NoError(t, look(t.Context(), c))
				}
			})
		}
		all.Wait()
		require.Equal(t, []int{41, 0}, []int{l.sent, l.unsent})
		require.Len(t, a.sent(), 40)
	})
}

// A source or a cache whose tokens are born expired is not asked for ever.
func TestTokenThatIsBornExpired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &api{handle: answers(status(200, ok(pendingSession)))}
		cache := fixedCache{token: &oauth2.Token{AccessToken: "old", Expiry: time.Now().Add(-time.Hour)}}
		require.NoError(t, look(t.Context(), a.client(t, mid.WithTokenCache(cache))))
		require.Equal(t, "Bearer old", a.sent()[0].Header.Get("Authorization"))
	})
}

// A call whose token would have to wait for the limiter beyond the call's own
// deadline fails at once, as one that has a token does.
func TestTokenRequestThatWouldWaitTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &api{
			handle: answers(status(429, problem("rate_limit_exceeded", "slow down", `,"retry_after":60`)), status(200, ok(pendingSession))),
			token:  func(n int) (*http.Response, error) { return tokenAnswer(n, 4*time.Second), nil },
		}
		c := a.client(t)
		require.ErrorIs(t, look(t.Context(), c, mid.WithoutRetry()), mid.ErrRateLimited)
		time.Sleep(5 * time.Second) // the token has expired, the pause has not
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		start := time.Now()
		err := look(ctx, c)
		require.ErrorIs(t, err, mid.ErrRateLimited)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		limited, _ := errors.AsType[*mid.RateLimitError](err)
		require.Equal(t, 55*time.Second, limited.RetryAfter)
		require.Zero(t, time.Since(start))
		require.Equal(t, 1, a.tokenRequests())
		require.NoError(t, look(t.Context(), c))
	})
}

// A pause that is longer than a token request usually may take, and shorter
// than MaxRetryAfter, is waited out by callers without a deadline.
func TestTokenRequestWaitsOutALongPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &api{
			handle: answers(status(429, problem("rate_limit_exceeded", "slow down", `,"retry_after":600`)), status(200, ok(pendingSession))),
			token:  func(n int) (*http.Response, error) { return tokenAnswer(n, 4*time.Second), nil },
		}
		c := a.client(t, mid.WithRetry(mid.RetryPolicy{MaxRetryAfter: time.Hour}))
		require.Error(t, look(t.Context(), c, mid.WithoutRetry()))
		time.Sleep(5 * time.Second)
		start := time.Now()
		require.NoError(t, look(t.Context(), c))
		require.Equal(t, 595*time.Second, time.Since(start))
	})
}

// A source that hangs, and knows no context, does not hold the client up for
// good.
func TestTokenSourceThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck, asked := make(chan struct{}), new(atomic.Int32)
		source := mid.OAuth2TokenSource(tokenFunc(func() (*oauth2.Token, error) {
			if asked.Add(1) == 1 {
				<-stuck
			}
			return &oauth2.Token{AccessToken: "fresh"}, nil
		}))
		a := &api{handle: answers(status(200, ok(pendingSession)))}
		c := a.client(t, mid.WithTokenSource(source))
		err := look(t.Context(), c)
		require.ErrorContains(t, err, "the token source did not return within")
		require.NotErrorIs(t, err, context.DeadlineExceeded, "the caller has none")
		require.NoError(t, look(t.Context(), c))
		close(stuck)
	})
}

type tokenFunc func() (*oauth2.Token, error)

func (f tokenFunc) Token() (*oauth2.Token, error) { return f() }

// fixedCache returns one token, or one error, for ever.
type fixedCache struct {
	token *oauth2.Token
	err   error
}

func (c fixedCache) Token(context.Context, func(context.Context) (*oauth2.Token, error)) (*oauth2.Token, error) {
	return c.token, c.err
}

func (fixedCache) Invalidate(context.Context, *oauth2.Token) error { return nil }

// quickRetries retries at once, for tests in real time.
var quickRetries = mid.WithRetry(mid.RetryPolicy{MaxRetries: 3, MinWait: 1, MaxWait: 1})

// What an application plugged in is named when it fails, and nothing is sent.
func TestErrorsOfTheApplicationsOwnPartsNameThem(t *testing.T) {
	down := errors.New("redis is down")
	for want, opt := range map[string]mid.Option{
		"mid: GET /auth/sessions/sess_1: the token cache: redis is down": mid.WithTokenCache(fixedCache{err: down}),
		"mid: GET /auth/sessions/sess_1: the token source: redis is down": mid.WithTokenSource(source(func(context.Context) (*oauth2.Token, error) {
			return nil, down
		})),
		"mid: GET /auth/sessions/sess_1: the limiter: redis is down": mid.WithLimiter(brokenLimiter{down}),
	} {
		a := &api{handle: answers(status(200, ok(pendingSession)))}
		err := look(t.Context(), a.client(t, opt, quickRetries))
		require.EqualError(t, err, want)
		require.ErrorIs(t, err, down)
		require.Empty(t, a.sent())
	}
}

// A time limit of the source's own is not the end of the caller's context.
func TestTimeLimitOfATokenSourceIsNamed(t *testing.T) {
	slow := source(func(context.Context) (*oauth2.Token, error) { return nil, context.DeadlineExceeded })
	err := look(t.Context(), (&api{}).client(t, mid.WithTokenSource(slow), quickRetries))
	require.EqualError(t, err, "mid: GET /auth/sessions/sess_1: the token source: context deadline exceeded")
}

type brokenLimiter struct{ err error }

func (l brokenLimiter) Wait(context.Context) error { return l.err }
func (brokenLimiter) Observe(mid.RequestOutcome)   {}

// A cache may hand out what no header can hold, and change a token in place.
func TestTokensOfTheApplicationsOwnCache(t *testing.T) {
	a := &api{handle: answers(status(200, ok(pendingSession)))}
	token := &oauth2.Token{AccessToken: "hush\nhush"}
	c := a.client(t, mid.WithTokenCache(fixedCache{token: token}))
	err := look(t.Context(), c)
	require.ErrorContains(t, err, "no header may hold")
	require.NotContains(t, err.Error(), "hush")
	require.Empty(t, a.sent())
	for _, want := range []string{"first", "second"} {
		token.AccessToken = want
		require.NoError(t, look(t.Context(), c))
		require.Equal(t, "Bearer "+want, last(a.sent()).Header.Get("Authorization"))
	}
}

// A context that is printed shows no token: the application's parts are given
// one that knows the call.
func TestContextOfACallShowsNoToken(t *testing.T) {
	var printed []string
	a := &api{handle: answers(status(401, ""), status(200, ok(pendingSession)))}
	watched := watchedCache{fixedCache{token: &oauth2.Token{AccessToken: hiddenToken}}, func(ctx context.Context) {
		for _, verb := range verbs {
			printed = append(printed, fmt.Sprintf(verb, ctx))
		}
	}}
	require.NoError(t, look(t.Context(), a.client(t, mid.WithTokenCache(watched))))
	require.NotEmpty(t, printed)
	requireHides(t, strings.Join(printed, "\n"), hiddenToken, testSecret)
}

type watchedCache struct {
	fixedCache
	see func(context.Context)
}

func (c watchedCache) Token(ctx context.Context, fetch func(context.Context) (*oauth2.Token, error)) (*oauth2.Token, error) {
	c.see(ctx)
	return c.fixedCache.Token(ctx, fetch)
}

func (c watchedCache) Invalidate(ctx context.Context, _ *oauth2.Token) error {
	c.see(ctx)
	return nil
}
