package mid_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// hurried answers one request a connection, and then says with a 408 that it does
// not wait for another: as the next request arrives, or before it does.
func hurried(t *testing.T, afterNext bool) (baseURL string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var all sync.WaitGroup
	t.Cleanup(func() { l.Close(); all.Wait() })
	serve := func(conn net.Conn) {
		defer conn.Close()
		reader := bufio.NewReader(conn)
		r, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		body := ok(pendingSession)
		if strings.HasSuffix(r.URL.Path, "/auth/token") {
			body = ok(`{"access_token":"token","token_type":"Bearer","expires_in":3600}`)
		}
		fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		if afterNext {
			if _, err := reader.Peek(1); err != nil {
				return
			}
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
	}
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { serve(conn) })
		}
	})
	return "http://" + l.Addr().String() + "/v1"
}

// A server that closes a kept connection with a 408 has not looked at the request
// that is on its way.
func TestTimeoutOfAnIdleConnectionIsRetried(t *testing.T) {
	t.Parallel()
	for _, afterNext := range []bool{true, false} {
		baseURL, transport := hurried(t, afterNext), &http.Transport{}
		t.Cleanup(transport.CloseIdleConnections) // before the server waits for their end
		c, err := mid.NewClient(testID, testSecret, mid.WithBaseURL(baseURL), mid.WithHTTPClient(&http.Client{Transport: transport}),
			mid.WithRetry(mid.RetryPolicy{MaxRetries: 3, MinWait: time.Millisecond, MaxWait: time.Millisecond}))
		require.NoError(t, err)
		for range 10 {
			_, err := c.Authentication.CreateSession(t.Context(), mid.CreateAuthSessionParams{Intent: mid.IntentLogin})
			require.NoError(t, err)
			_, err = c.Authentication.GetSession(t.Context(), "sess_1")
			require.NoError(t, err)
		}
	}
}
