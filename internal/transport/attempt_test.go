package transport

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

const anywhere = "https://api.example.com/v1/x"

// broken gives a text and then fails.
func broken(text string, err error) io.Reader {
	return io.MultiReader(strings.NewReader(text), readerFunc(func([]byte) (int, error) { return 0, err }))
}

// A status line is an answer, whatever becomes of the body: a 404 is not
// retried, and a 429 that is cut off waits as it asks.
func TestErrorWhoseBodyIsBrokenIsAnAnswer(t *testing.T) {
	t.Parallel()
	for _, failure := range []error{io.ErrUnexpectedEOF, gzip.ErrHeader, errors.New("connection reset")} {
		synctest.Test(t, func(t *testing.T) {
			statuses, start := []int{429, 404}, time.Now()
			wire := tripper(func(*http.Request) (*http.Response, error) {
				resp := reply(statuses[0], broken("cut o", failure))
				resp.Header.Set("Retry-After", "7")
				resp.Header.Set("X-Request-Id", "req_1")
				statuses = statuses[1:]
				return resp, nil
			})
			resp, err := pipe(wire, time.Minute, 3).Do(callTo(t.Context(), t, http.MethodGet, anywhere, nil))
			require.NoError(t, err)
			require.Equal(t, 404, resp.StatusCode)
			require.Equal(t, "req_1", resp.Header.Get("X-Request-Id"))
			require.Equal(t, "cut o", string(Data(resp)))
			require.Equal(t, 7*time.Second, time.Since(start))
		})
	}
}

// A success whose body is cut off is like a connection that was.
func TestSuccessThatIsCutOffIsRetried(t *testing.T) {
	t.Parallel()
	sent := 0
	wire := tripper(func(*http.Request) (*http.Response, error) {
		if sent++; sent == 1 {
			return reply(200, broken(`{"success":`, io.ErrUnexpectedEOF)), nil
		}
		return reply(200, strings.NewReader("{}")), nil
	})
	resp, err := pipe(wire, time.Minute, 3).Do(callTo(t.Context(), t, http.MethodGet, anywhere, nil))
	require.NoError(t, err)
	require.Equal(t, "{}", string(Data(resp)))
	require.Equal(t, 2, sent)
}

// hung ends with the request only.
func hung(r *http.Request) io.Reader {
	return readerFunc(func([]byte) (int, error) { <-r.Context().Done(); return 0, r.Context().Err() })
}

// An error whose body never ends keeps its status when the attempt times out.
// Its header is progress.
func TestErrorWhoseBodyIsLateIsAnAnswer(t *testing.T) {
	t.Parallel()
	for _, body := range []Body{nil, fileOf([]byte("%PDF"))} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			wire := tripper(func(r *http.Request) (*http.Response, error) {
				time.Sleep(9 * time.Second)
				return reply(403, io.MultiReader(strings.NewReader("no"), hung(r))), nil
			})
			call := callTo(t.Context(), t, http.MethodPost, anywhere, body)
			resp, err := pipe(wire, 10*time.Second, 3).Do(call)
			require.NoError(t, err)
			require.Equal(t, 403, resp.StatusCode)
			require.Equal(t, "no", string(Data(resp)))
			require.Equal(t, 19*time.Second, time.Since(start))
			require.Equal(t, 1, call.Attempts)
		})
	}
}

// The header of an answer is progress, before a byte of its body has come.
func TestHeaderIsProgress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		wire := tripper(func(r *http.Request) (*http.Response, error) {
			time.Sleep(9 * time.Second)
			return reply(200, readerFunc(func([]byte) (int, error) {
				time.Sleep(9 * time.Second)
				if err := r.Context().Err(); err != nil {
					return 0, err
				}
				return 0, io.EOF
			})), nil
		})
		_, err := pipe(wire, 10*time.Second, 0).Do(callTo(t.Context(), t, http.MethodGet, anywhere, nil))
		require.NoError(t, err)
	})
}

// The context of an attempt ends with it: what was started for it must not
// live on.
func TestContextOfAnAttemptEndsWithIt(t *testing.T) {
	t.Parallel()
	var contexts []context.Context
	wire := tripper(func(r *http.Request) (*http.Response, error) {
		contexts = append(contexts, r.Context())
		return reply(503, http.NoBody), nil
	})
	_, err := pipe(wire, time.Minute, 1).Do(callTo(t.Context(), t, http.MethodGet, anywhere, nil))
	require.NoError(t, err)
	require.Len(t, contexts, 2)
	for _, ctx := range contexts {
		require.Error(t, ctx.Err())
	}
}

// Over HTTP/2 an answer that comes while the file's Read hangs is the answer at
// once, and one that never ends does not outlive the attempt timeout.
func TestAnswerWhileTheFileHangs(t *testing.T) {
	t.Parallel()
	for name, whole := range map[string]bool{"whole": true, "begun": false} {
		address, tr := h2Server(t, func(c *h2Conn, f h2Frame) {
			switch {
			case f.kind == h2Headers && whole:
				c.answer(f.stream)
			case f.kind == h2Headers:
				c.send(h2Frame{h2Headers, h2EndHeaders, f.stream, []byte{0x88}})
			}
		})
		stuck, began := make(chan struct{}), time.Now()
		body := fileFrom(func(p []byte) (int, error) {
			if len(p) > 0 {
				<-stuck
			}
			return 0, io.EOF
		})
		timeout := 200 * time.Millisecond
		if whole {
			timeout = time.Minute
		}
		resp, err := pipe(NewBase(&http.Client{}, tr), timeout, 0).Do(callTo(t.Context(), t, http.MethodPost, address, body))
		if whole {
			require.NoError(t, err, name)
			require.Equal(t, 200, resp.StatusCode)
		} else {
			require.ErrorContains(t, err, "no progress for 200ms", name)
		}
		require.Less(t, time.Since(began), 30*time.Second)
		close(stuck)
	}
}

// A server that refuses an upload by its header, and closes, is heard.
func TestEarlyAnswerIsNotLost(t *testing.T) {
	t.Parallel()
	server, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer server.Close()
	go func() {
		for {
			conn, err := server.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = conn.Read(make([]byte, 4096))
				_, _ = io.WriteString(conn, "HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno")
			}()
		}
	}()
	tr := Default(time.Minute)
	defer tr.CloseIdleConnections()
	r := pipe(NewBase(&http.Client{}, tr), time.Minute, 0)
	for range 200 {
		resp, err := r.Do(callTo(t.Context(), t, http.MethodPost, "http://"+server.Addr().String(), fileOf(make([]byte, 4<<20))))
		require.NoError(t, err)
		require.Equal(t, 413, resp.StatusCode)
		require.Equal(t, "no", string(Data(resp)))
	}
}

// A failed write of a connection whose other side has nothing more to say fails
// at once.
func TestLostConnectionDoesNotWait(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer server.Close()
	tr := Default(time.Minute)
	began := time.Now()
	for range 20 {
		_, err := pipe(NewBase(&http.Client{}, tr), time.Minute, 0).Do(callTo(t.Context(), t, http.MethodPost, server.URL, fileOf(make([]byte, 4<<20))))
		require.Error(t, err)
	}
	require.Less(t, time.Since(began), 20*lastWord)
}

// The caller's own trace is called too.
func TestTraceOfTheCaller(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	var got atomic.Int32
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { got.Add(1) }})
	tr := Default(time.Minute)
	defer tr.CloseIdleConnections()
	_, err := pipe(NewBase(&http.Client{}, tr), time.Minute, 0).Do(callTo(ctx, t, http.MethodGet, server.URL, nil))
	require.NoError(t, err)
	require.EqualValues(t, 1, got.Load())
}
