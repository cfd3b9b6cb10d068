package mid_test

import (
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// By the headers too, a wait over several windows that would outlive the ctx,
// or MaxRetryAfter, fails at once.
func TestWaitOverSeveralWindowsFailsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &window{limit: 10, length: time.Minute}
		c := (&api{handle: w.handle}).client(t, staticToken())
		require.NoError(t, look(t.Context(), c))
		start := time.Now()
		var wg sync.WaitGroup
		var mu sync.Mutex
		refused := 0
		for range 60 {
			wg.Go(func() {
				if err := look(t.Context(), c); err != nil {
					mu.Lock()
					defer mu.Unlock()
					require.ErrorIs(t, err, mid.ErrRateLimited)
					require.Zero(t, time.Since(start))
					refused++
				}
			})
		}
		wg.Wait()
		require.GreaterOrEqual(t, refused, 20)
		require.LessOrEqual(t, time.Since(start), 3*time.Minute)
	})
}

// Uploads that take longer than a window do not keep the next windows shut.
func TestLongUploadsDoNotStarveTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &window{limit: 3, length: time.Minute}
		a := &api{handle: func(r *http.Request) (*http.Response, error) {
			resp, err := w.handle(r)
			if r.URL.Query().Get("n") == "long" {
				time.Sleep(10 * time.Minute)
			}
			return resp, err
		}}
		c := a.client(t, staticToken(), mid.WithAttemptTimeout(time.Hour))
		require.NoError(t, look(t.Context(), c))
		long := func() { _ = c.Call(t.Context(), "GET", "/x?n=long", nil, nil) }
		go long()
		go long()
		time.Sleep(65 * time.Second) // the second window
		go long()
		time.Sleep(60 * time.Second) // the third
		start := time.Now()
		require.NoError(t, look(t.Context(), c))
		require.Less(t, time.Since(start), time.Minute)
		time.Sleep(15 * time.Minute)
	})
}
