package transport

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The default transport keeps many connections to the one host, speaks HTTP/2
// though it has a TLS configuration, and goes through the environment's proxy.
func TestDefault(t *testing.T) {
	t.Parallel()
	tr := Default(30 * time.Second)
	require.Equal(t, 256, tr.MaxIdleConnsPerHost)
	require.GreaterOrEqual(t, tr.MaxIdleConns, tr.MaxIdleConnsPerHost)
	require.True(t, tr.ForceAttemptHTTP2)
	// Package http reads the environment once, so that a test can't set it.
	require.Equal(t, reflect.ValueOf(http.ProxyFromEnvironment).Pointer(), reflect.ValueOf(tr.Proxy).Pointer())
	for timeout, want := range map[time.Duration]time.Duration{
		time.Nanosecond: time.Millisecond, 3 * time.Second: time.Second, 30 * time.Second: 10 * time.Second, time.Hour: 10 * time.Second,
	} {
		require.Equal(t, want, Default(timeout).HTTP2.SendPingTimeout)
	}
}

// Clients with the same settings share their connections. When the last of them
// is gone, none is left.
func TestClientsShareATransport(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	open, dialed := 0, 0
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		mu.Lock()
		defer mu.Unlock()
		switch s {
		case http.StateNew:
			open++
			dialed++
		case http.StateClosed:
			open--
		}
	}
	server.Start()
	defer server.Close()
	const timeout = 77 * time.Second // no other test's
	func() {
		var clients []*Retry
		for range 50 {
			clients = append(clients, pipe(NewBase(&http.Client{}, Shared(timeout)), timeout, 0))
		}
		for _, c := range clients {
			_, err := c.Do(callTo(t.Context(), t, http.MethodGet, server.URL, nil))
			require.NoError(t, err)
		}
		mu.Lock()
		defer mu.Unlock()
		require.Equal(t, 1, dialed)
		require.NotSame(t, Shared(timeout), Shared(timeout+1))
		runtime.KeepAlive(clients)
	}()
	require.Eventually(t, func() bool {
		runtime.GC()
		mu.Lock()
		defer mu.Unlock()
		shared.Lock()
		defer shared.Unlock()
		_, left := shared.pools[timeout]
		return open == 0 && !left
	}, 20*time.Second, 10*time.Millisecond, "the connections outlive the clients")
}

func ExampleProxyError() {
	fmt.Println(&ProxyError{Proxy: "proxy.example:3128", Status: 407})
	// Output: the proxy proxy.example:3128 refuses to connect to MID: 407 Proxy Authentication Required
}
