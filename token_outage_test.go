package mid_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/mobid-io/mid-go"
)

// Calls outlive outages of the token endpoint within their own retries, whatever
// the outage looks like: 20,000 calls, an outage of 400 ms every three seconds,
// tokens that live a second.
func TestCallsOutliveTokenOutages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const workers, calls = 40, 500
		began := time.Now()
		outages := []func() (*http.Response, error){
			failed(errors.New("connection reset")),
			status(503, problem("service_unavailable", "later", "")),
			status(502, "<html>bad gateway</html>"),
		}
		a := &api{handle: session}
		refused := 0
		a.token = func(n int) (*http.Response, error) {
			if time.Since(began)%(3*time.Second) < 400*time.Millisecond {
				refused++
				return outages[n%len(outages)]()
			}
			return tokenAnswer(n, time.Second), nil
		}
		c := a.client(t)
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				for range calls {
					if err := look(t.Context(), c); err != nil {
						t.Error(err)
					}
					time.Sleep(rand.N(100 * time.Millisecond))
				}
			})
		}
		wg.Wait()
		time.Sleep(time.Minute) // a renewal may be under way
		require.Positive(t, refused)
		require.Len(t, a.sent(), workers*calls)
	})
}

// An upload of a plain reader outlives an outage as well: not a byte was read.
func TestAnUploadOutlivesATokenOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &api{handle: answers(status(201, ok(`{"id":"doc_1"}`)))}
		a.token = func(n int) (*http.Response, error) {
			if n <= 6 {
				return nil, errors.New("connection reset")
			}
			return tokenAnswer(n, time.Hour), nil
		}
		once := mid.FileFromReader("a.pdf", strings.NewReader("%PDF-1.7"))
		_, err := a.client(t).Signing.UploadDocument(t.Context(), mid.UploadSigningDocumentParams{File: once})
		require.NoError(t, err)
		require.Contains(t, last(a.sent()).Body, "%PDF-1.7")
	})
}

// What the token endpoint asks to wait is waited for, by the call too, and not
// beyond its deadline.
func TestTheTokenEndpointsRetryAfterIsHonoured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked []time.Time
		a := &api{handle: session}
		a.token = func(n int) (*http.Response, error) {
			asked = append(asked, time.Now())
			if n <= 3 {
				return answer(503, problem("service_unavailable", "later", `,"retry_after":20`)), nil
			}
			return tokenAnswer(n, time.Hour), nil
		}
		require.NoError(t, look(t.Context(), a.client(t)))
		require.Len(t, asked, 4)
		for i := range 3 {
			require.GreaterOrEqual(t, asked[i+1].Sub(asked[i]), 20*time.Second)
		}

		a.token = func(int) (*http.Response, error) {
			return answer(503, problem("service_unavailable", "later", `,"retry_after":20`)), nil
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Second)
		defer cancel()
		start := time.Now()
		c := a.client(t)
		require.ErrorIs(t, look(ctx, c), mid.ErrServer)
		require.Equal(t, 40*time.Second, time.Since(start), "the next attempt would end too late")
	})
}

// dropping is a cache whose errors have lost their cause.
type dropping struct{ asked int }

func (d *dropping) Token(ctx context.Context, fetch func(context.Context) (*oauth2.Token, error)) (*oauth2.Token, error) {
	d.asked++
	token, err := fetch(context.WithoutCancel(ctx))
	if err != nil {
		return nil, fmt.Errorf("no token: %s", err)
	}
	return token, nil
}

func (*dropping) Invalidate(context.Context, *oauth2.Token) error { return nil }

// A cache that drops the cause of a final error makes neither a call retry nor
// a wait go on for ever.
func TestACacheThatDropsTheCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cache := new(dropping)
		a := &api{handle: session, token: func(int) (*http.Response, error) {
			return answer(401, problem("invalid_client", "unknown client", "")), nil
		}}
		c := a.client(t, mid.WithTokenCache(cache))
		start := time.Now()
		err := look(t.Context(), c)
		require.ErrorIs(t, err, mid.ErrInvalidClient)
		require.ErrorContains(t, err, "the token cache: no token")
		_, err = c.Authentication.WaitForSession(t.Context(), "sess_1", mid.PollOptions{})
		require.ErrorIs(t, err, mid.ErrInvalidClient)
		require.Zero(t, time.Since(start))
		require.Equal(t, 2, a.tokenRequests())

		// A failure that may pass is retried, and a later success clears it.
		a.token = func(n int) (*http.Response, error) {
			if n < 10 {
				return nil, errors.New("connection reset")
			}
			return tokenAnswer(n, time.Hour), nil
		}
		require.NoError(t, look(t.Context(), c))
	})
}

// Which errors of an application's token source are retried: those that may
// pass. The others end the call, and a wait, at once.
func TestErrorsOfATokenSource(t *testing.T) {
	for name, test := range map[string]struct {
		err   error
		asked int
	}{
		"of any kind":             {errors.New("vault is sealed"), 4},
		"its own time limit":      {context.DeadlineExceeded, 4},
		"503":                     {&mid.APIError{StatusCode: 503}, 4},
		"429 of another server":   {&mid.APIError{StatusCode: 429}, 4},
		"501":                     {&mid.APIError{StatusCode: 501}, 1},
		"400":                     {&mid.APIError{StatusCode: 400}, 1},
		"invalid_client":          {&oauth2.RetrieveError{ErrorCode: "invalid_client", Response: &http.Response{StatusCode: 401}}, 1},
		"invalid_client, wrapped": {fmt.Errorf("wrapped: %w", &oauth2.RetrieveError{ErrorCode: "invalid_client"}), 1},
		"oauth2's 503":            {&oauth2.RetrieveError{Response: &http.Response{StatusCode: 503}}, 4},
		"a wrong configuration":   {&mid.ValidationError{Field: "Vault", Reason: "has no address"}, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			asked := 0
			src := source(func(context.Context) (*oauth2.Token, error) {
				asked++
				return nil, test.err
			})
			a := &api{handle: session}
			err := look(t.Context(), a.client(t, mid.WithTokenSource(src)))
			require.Error(t, err, name)
			require.Equal(t, test.asked, asked, name)
			require.Empty(t, a.sent(), name)
			if strings.HasPrefix(name, "invalid_client") {
				require.ErrorIs(t, err, mid.ErrInvalidClient, name)
			}
		})
	}
}

// A 404 of the token endpoint is about the base URL, not about a resource.
func TestA404OfTheTokenEndpointIsNotTheResources(t *testing.T) {
	a := &api{handle: session, token: func(int) (*http.Response, error) { return answer(404, problem("not_found", "no such page", "")), nil }}
	c := a.client(t)
	err := look(t.Context(), c)
	require.NotErrorIs(t, err, mid.ErrNotFound)
	require.ErrorContains(t, err, "does the base URL end in /v1?")
	apiErr, ok := errors.AsType[*mid.APIError](err)
	require.True(t, ok)
	require.Equal(t, 404, apiErr.StatusCode)
	require.Equal(t, 1, a.tokenRequests())

	theirs := source(func(context.Context) (*oauth2.Token, error) {
		return nil, &oauth2.RetrieveError{Response: &http.Response{StatusCode: 404}}
	})
	require.NotErrorIs(t, look(t.Context(), a.client(t, mid.WithTokenSource(theirs))), mid.ErrNotFound)
	a.token = nil
	a.handle = answers(status(404, problem("not_found", "no such session", "")))
	require.ErrorIs(t, look(t.Context(), c), mid.ErrNotFound)
}
