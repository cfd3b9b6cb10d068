package midweb

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

func TestStreamEndsByItself(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		v := w.visitor()
		v.start()
		began := time.Now()
		tab := v.page()
		tab.want(waiting, "")
		assert.InDelta(t, streamLife.Seconds(), time.Since(began).Seconds(), 1)
		assert.Equal(t, "text/event-stream", tab.header.Get("Content-Type"))
		assert.Equal(t, "no", tab.header.Get("X-Accel-Buffering"))
		assert.Equal(t, "no-store", tab.header.Get("Cache-Control"))
	})
}

// The answer ends with the news, so that it gets through a proxy that holds
// answers back until they end.
func TestStreamEndsWithTheNews(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		v := w.visitor()
		session := v.start()
		tab := v.page()
		tab.want(waiting)
		require.NoError(t, w.Scan(session))
		tab.want(scanned)
		began := time.Now()
		tab.want("")
		assert.Zero(t, time.Since(began))
	})
}

// A page that shows an old state gets the new one at once.
func TestStreamOfAnOldState(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		v := w.visitor()
		session := v.start()
		of := v.get("").find(t, `data-of="([^"]+)"`)
		require.NoError(t, w.Scan(session))
		time.Sleep(5 * time.Second)
		v.listen(of, waiting).want(scanned, "")
		time.Sleep(linger * 2) // the process has forgotten the session
		v.listen(of, waiting).want(waiting, scanned, "")
	})
}

func TestStreamWithoutAFlow(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		w.visitor().listen("", waiting).want(gone, "")
		assert.Empty(t, w.Requests())
	})
}

// The server's timeouts are shorter than a stream: over a real connection, it
// outlives both of them, by the sign of life that comes before the news.
func TestStreamOutlivesTheServersTimeouts(t *testing.T) {
	srv := midtest.NewServer()
	defer srv.Close()
	cfg := goodConfig()
	cfg.Origin = "http://127.0.0.1"
	cfg.Poll = mid.PollOptions{MaxInterval: 10 * time.Millisecond}
	s, err := New(srv.Client(), cfg)
	require.NoError(t, err)
	defer s.Close()
	const timeout = 200 * time.Millisecond
	site := httptest.NewUnstartedServer(s)
	site.Config.ReadTimeout, site.Config.WriteTimeout = timeout, timeout
	site.Start()
	defer site.Close()

	v := visit(t, s)
	session := v.start()
	of := v.get("").find(t, `data-of="([^"]+)"`)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, site.URL+"/events?seen=waiting&of="+of, nil)
	require.NoError(t, err)
	for name, value := range v.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	answer, err := site.Client().Do(r)
	require.NoError(t, err)
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() && !strings.Contains(lines.Text(), `"waiting"`) {
	}
	time.Sleep(3 * timeout)
	require.NoError(t, srv.Approve(session, "user_ada_marsh"))
	for lines.Scan() && !strings.Contains(lines.Text(), `"approved"`) {
	}
	assert.Contains(t, lines.Text(), `"approved"`)
}
