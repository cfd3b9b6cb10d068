package mid_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

type observerKey struct{}

// observer notes what an observer sees, and gives the call a value.
func observer(name string, seen *[]string) mid.Option {
	return mid.WithCallObserver(func(ctx context.Context, op mid.Operation) (context.Context, func(error)) {
		*seen = append(*seen, name+" begins "+op.Name+" "+op.Path)
		return context.WithValue(ctx, observerKey{}, name), func(err error) {
			text := "well"
			if err != nil {
				text = err.Error()
			}
			*seen = append(*seen, name+" ends "+text)
		}
	})
}

// sees is middleware that notes the value that the observers left.
func sees(seen *[]string) mid.Option {
	return mid.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
		return tripper(func(r *http.Request) (*http.Response, error) {
			by, _ := r.Context().Value(observerKey{}).(string)
			*seen = append(*seen, "sent below "+by)
			return next.RoundTrip(r)
		})
	})
}

// A call that is retried is one call to its observers, and all it sends has their
// context.
func TestCallObserversSeeACallOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen []string
		a := &api{handle: answers(status(503, "x"), status(200, ok(pendingSession)))}
		c := a.client(t, staticToken(), observer("outer", &seen), observer("inner", &seen), sees(&seen))
		require.NoError(t, look(t.Context(), c))
		require.Equal(t, []string{
			"outer begins auth.sessions.get /auth/sessions/{id}", "inner begins auth.sessions.get /auth/sessions/{id}",
			"sent below inner", "sent below inner",
			"inner ends well", "outer ends well",
		}, seen)
	})
}

func TestCallObserverGetsTheCallersError(t *testing.T) {
	var got error
	a := &api{handle: answers(status(404, `{"error":{"code":"NOT_FOUND","message":"no such session"}}`))}
	c := a.client(t, mid.WithCallObserver(func(context.Context, mid.Operation) (context.Context, func(error)) {
		return nil, func(err error) { got = err }
	}))
	err := look(t.Context(), c)
	require.ErrorIs(t, err, mid.ErrNotFound)
	require.Equal(t, err, got)

	got = nil
	_, err = c.Authentication.GetSession(t.Context(), "")
	require.Error(t, err)
	require.NoError(t, got, "a call that is refused before it begins is not observed")
}

func TestCallObserverEndsWhenMiddlewarePanics(t *testing.T) {
	var seen []string
	a := &api{handle: func(*http.Request) (*http.Response, error) { panic("middleware") }}
	c := a.client(t, staticToken(), observer("one", &seen))
	require.PanicsWithValue(t, "middleware", func() { _ = look(t.Context(), c) })
	require.Equal(t, []string{"one begins auth.sessions.get /auth/sessions/{id}", "one ends mid: the call panicked"}, seen)
}

// An observer that panics keeps no other from ending.
func TestCallObserverThatPanics(t *testing.T) {
	for _, when := range []string{"begins", "ends"} {
		t.Run(when, func(t *testing.T) {
			var seen []string
			a := &api{handle: session}
			c := a.client(t, staticToken(), observer("outer", &seen), mid.WithCallObserver(
				func(context.Context, mid.Operation) (context.Context, func(error)) {
					if when == "begins" {
						panic("observer")
					}
					return nil, func(error) { panic("observer") }
				}))
			require.PanicsWithValue(t, "observer", func() { _ = look(t.Context(), c) })
			require.Len(t, seen, 2)
			require.Contains(t, seen[1], "outer ends")
		})
	}
}

func TestCallObserverThatReturnsNothing(t *testing.T) {
	a := &api{handle: session}
	c := a.client(t, mid.WithCallObserver(func(context.Context, mid.Operation) (context.Context, func(error)) { return nil, nil }))
	require.NoError(t, look(t.Context(), c))
}

func TestQueueTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		require.Zero(t, mid.QueueTime(t.Context()))
		var queued []time.Duration
		a := &api{handle: session}
		c := a.client(t, staticToken(), mid.WithPlan(mid.Plan{RequestsPerMinute: 60, Burst: 1}),
			mid.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
				return tripper(func(r *http.Request) (*http.Response, error) {
					queued = append(queued, mid.QueueTime(r.Context()))
					return next.RoundTrip(r)
				})
			}))
		require.NoError(t, look(t.Context(), c))
		require.NoError(t, look(t.Context(), c))
		require.Zero(t, queued[0])
		require.InDelta(t, time.Second, queued[1], float64(10*time.Millisecond))
	})
}
