package mid_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/mobid-io/mid-go"
)

// The caller's ctx ends an upload whose file, or whose Progress, hangs. Over
// HTTP/1 package net/http waits for the file's Read.
func TestUploadThatHangsEndsWithCtx(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/auth/token") {
			_, _ = io.WriteString(w, `{"access_token":"token-1"}`)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	defer srv.Close()
	c, err := mid.NewClient(testID, testSecret, mid.WithBaseURL(srv.URL+"/v1"))
	require.NoError(t, err)
	stuck := make(chan struct{})
	defer close(stuck)
	for name, params := range map[string]mid.UploadSigningDocumentParams{
		"file":     {File: mid.FileFromReader("a.pdf", io.MultiReader(strings.NewReader("%PDF"), hungReader{stuck}))},
		"progress": {File: mid.FileFromBytes("a.pdf", []byte("%PDF")), Progress: func(int64, int64) { <-stuck }},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		done := make(chan error, 1)
		go func() {
			_, err := c.Signing.UploadDocument(ctx, params)
			done <- err
		}()
		select {
		case err := <-done:
			require.ErrorIs(t, err, context.DeadlineExceeded, name)
		case <-time.After(10 * time.Second):
			t.Fatalf("%s: the upload outlives its ctx", name)
		}
		cancel()
	}
}

type hungReader struct{ until <-chan struct{} }

func (r hungReader) Read([]byte) (int, error) { <-r.until; return 0, io.EOF }

// A panic of middleware reaches the caller and leaves nothing in flight.
func TestPanicOfMiddlewareLeavesNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reset := time.Now().Add(time.Hour)
		broken := false
		a := &api{handle: func(*http.Request) (*http.Response, error) {
			if broken {
				panic("middleware")
			}
			return answer(200, ok(pendingSession), limits(100, 6, reset)...), nil
		}}
		c := a.client(t, staticToken())
		require.NoError(t, look(t.Context(), c))
		broken = true
		for range 5 {
			require.PanicsWithValue(t, "middleware", func() { _ = look(t.Context(), c) })
		}
		require.PanicsWithValue(t, "middleware", func() {
			_, _ = c.Signing.UploadDocument(t.Context(), mid.UploadSigningDocumentParams{File: mid.FileFromBytes("a.pdf", []byte("%PDF"))})
		})
		broken = false
		time.Sleep(2 * time.Hour)
		start := time.Now()
		for range 6 {
			require.NoError(t, look(t.Context(), c))
		}
		require.Zero(t, time.Since(start))
	})
}

// A token source that panics, or ends its goroutine, fails the calls that wait
// for it, and no other.
func TestTokenSourceThatNeverReturns(t *testing.T) {
	for name, breakdown := range map[string]func(){"panic": func() { panic("secret-in-a-panic") }, "exit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			var once sync.Once
			src := source(func(context.Context) (*oauth2.Token, error) {
				once.Do(breakdown)
				return &oauth2.Token{AccessToken: "mine"}, nil
			})
			a := &api{handle: session}
			c := a.client(t, mid.WithTokenSource(src))
			err := look(t.Context(), c)
			require.ErrorContains(t, err, "the token source did not return")
			require.NotContains(t, err.Error(), "secret-in-a-panic")
			require.NoError(t, look(t.Context(), c))
		})
	}
}

func TestTokenThatNoHeaderMayHold(t *testing.T) {
	a := &api{handle: session}
	src := source(func(context.Context) (*oauth2.Token, error) { return &oauth2.Token{AccessToken: "hush\nhush"}, nil })
	err := look(t.Context(), a.client(t, mid.WithTokenSource(src)))
	require.ErrorContains(t, err, "no header may hold")
	require.NotContains(t, err.Error(), "hush")
	require.Empty(t, a.sent())
}

// A call replays once for a 401, however often one comes, and the last refused
// token is dropped too.
func TestOneReplayACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		no, down := status(401, problem("unauthorized", "no", "")), status(503, "down")
		a := &api{handle: answers(no, down, no, status(200, ok(pendingSession)))}
		c := a.client(t)
		require.ErrorIs(t, look(t.Context(), c), mid.ErrUnauthorized)
		require.Len(t, a.sent(), 3)
		require.NoError(t, look(t.Context(), c))
		require.Equal(t, 3, a.tokenRequests())
	})
}

// The token that came after a 401 is dropped too when it is refused, for the
// calls that follow.
func TestSecondRefusedTokenIsDropped(t *testing.T) {
	no := status(401, problem("unauthorized", "no", ""))
	a := &api{handle: answers(no, no, status(200, ok(pendingSession)))}
	c := a.client(t)
	require.ErrorIs(t, look(t.Context(), c), mid.ErrUnauthorized)
	require.NoError(t, look(t.Context(), c))
	require.Equal(t, "Bearer token-3", last(a.sent()).Header.Get("Authorization"))
}

// A token that the cache can't drop would be sent again, so that there is no
// replay.
func TestTokenThatCanNotBeDropped(t *testing.T) {
	a := &api{handle: answers(status(401, problem("unauthorized", "revoked", "")))}
	require.ErrorIs(t, look(t.Context(), a.client(t, mid.WithTokenCache(new(stubborn)))), mid.ErrUnauthorized)
	require.Len(t, a.sent(), 1)
}

// stubborn is a cache that drops nothing.
type stubborn struct{ cache }

func (*stubborn) Invalidate(context.Context, *oauth2.Token) error {
	return errors.New("the store is down")
}

// A network failure after a 401 is a network failure: a wait goes on.
func TestNetworkFailureAfterA401(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reset := failed(errors.New("connection reset"))
		a := &api{handle: answers(
			status(200, ok(pendingSession)),
			status(401, problem("unauthorized", "revoked", "")), reset, reset, reset, reset,
			status(200, ok(strings.Replace(pendingSession, "pending", "declined", 1))))}
		c := a.client(t, mid.WithRetry(mid.RetryPolicy{MaxRetries: 3}))
		_, err := c.Signing.WaitForSession(t.Context(), "sig_1", mid.PollOptions{})
		require.NoError(t, err)
	})
}

// A file that fails by itself is not sent again.
func TestFileThatFails(t *testing.T) {
	a := &api{handle: session}
	broken := errors.New("the disk is on fire")
	_, err := a.client(t).Signing.UploadDocument(t.Context(), mid.UploadSigningDocumentParams{
		File: mid.FileFromReader("a.pdf", io.MultiReader(strings.NewReader("%PDF"), failingReader{broken})),
	})
	require.ErrorIs(t, err, broken)
	require.Empty(t, a.sent())
}

// A file that hangs when it is opened again holds its upload up until ctx ends,
// or for half a minute. The upload then ends with the answer that it had.
func TestFileThatHangsWhenItIsOpenedAgain(t *testing.T) {
	for ends, want := range map[time.Duration]time.Duration{time.Second: time.Second, time.Hour: 30 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			stuck := make(chan struct{})
			defer close(stuck)
			opened := 0
			file := mid.File{Name: "a.pdf", Size: 4, Open: func() (io.ReadCloser, error) {
				if opened++; opened > 1 {
					<-stuck
				}
				return readCloser("%PDF"), nil
			}}
			a := &api{handle: answers(status(503, problem("service_unavailable", "later", "")))}
			ctx, cancel := context.WithTimeout(t.Context(), ends)
			defer cancel()
			start := time.Now()
			_, err := a.client(t, staticToken()).Signing.UploadDocument(ctx, mid.UploadSigningDocumentParams{File: file})
			require.Equal(t, want, time.Since(start))
			require.ErrorIs(t, err, mid.ErrServer)
			require.Len(t, a.sent(), 1)
		})
	}
}

// An answer that comes when nobody waits for it any more is closed, which gives
// its connection back.
func TestLateAnswerIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body := &noted{Reader: strings.NewReader("{}")}
		a := &api{handle: func(*http.Request) (*http.Response, error) {
			time.Sleep(time.Minute)
			resp := answer(201, "")
			resp.Body = body
			return resp, nil
		}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := a.client(t, staticToken()).Signing.UploadDocument(ctx, mid.UploadSigningDocumentParams{File: mid.FileFromBytes("a.pdf", []byte("%PDF"))})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		time.Sleep(time.Hour)
		require.True(t, body.closed.Load())
	})
}

// noted notes that it was closed.
type noted struct {
	io.Reader
	closed atomic.Bool
}

func (n *noted) Close() error {
	n.closed.Store(true)
	return nil
}

// Answers that no server should give become errors, at once.
func TestOddAnswers(t *testing.T) {
	switching := func() (*http.Response, error) {
		resp := answer(101, "")
		resp.Body = io.NopCloser(hungReader{nil})
		return resp, nil
	}
	for name, test := range map[string]struct {
		answer func() (*http.Response, error)
		want   string
	}{
		"switching protocols": {switching, "101 Switching Protocols"},
		"unreadable redirect": {status(302, "", "Location", "http://[bad%zz/"), "302 Found: the server redirects"},
		"a web page":          {status(200, "<html>Sign in</html>"), "a web page, not JSON; check the base URL"},
	} {
		a := &api{handle: answers(test.answer)}
		err := look(t.Context(), a.client(t, staticToken()))
		require.ErrorContains(t, err, test.want, name)
		require.Len(t, a.sent(), 1, name)
	}
}

func TestTokenEndpointThatIsNotThere(t *testing.T) {
	a := &api{handle: session, token: func(int) (*http.Response, error) { return answer(404, "not here"), nil }}
	err := look(t.Context(), a.client(t, mid.WithBaseURL("https://api.example.com")))
	require.ErrorContains(t, err, "there is no token endpoint at https://api.example.com; does the base URL end in /v1?")
}

// A HEAD tells the length of what it does not send.
func TestHead(t *testing.T) {
	a := &api{handle: func(*http.Request) (*http.Response, error) {
		resp := answer(200, "")
		resp.ContentLength = 1 << 40
		return resp, nil
	}}
	require.NoError(t, a.client(t).Call(t.Context(), "HEAD", "/x", nil, nil))
	_, err := a.client(t).Identity.WaitForVerification(t.Context(), "ver_1", mid.PollOptions{})
	require.ErrorContains(t, err, "larger than 10 MiB", "no wait goes on for that")
}

func TestNilCtxAndSpaces(t *testing.T) {
	a := &api{handle: session}
	c := a.client(t)
	_, err := c.Authentication.WaitForSession(nil, "sess_1", mid.PollOptions{}) //nolint:staticcheck // on purpose
	require.ErrorContains(t, err, "ctx is nil")
	require.ErrorContains(t, c.Call(t.Context(), "GET", "/x?a=1 HTTP/1.1", nil, nil), "escaped")
	_, err = mid.NewClient(testID, "secret\n")
	require.EqualError(t, err, "mid: clientSecret begins or ends with white space, such as a file's last line break")
	_, err = mid.NewClient(testID, testSecret, mid.WithHTTPClient(&http.Client{Transport: (*http.Transport)(nil)}))
	require.ErrorContains(t, err, "WithHTTPClient has a nil *http.Transport")
	require.Empty(t, a.sent())
}

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

// A reader that is a nil pointer is no reader.
func TestFileFromANilPointer(t *testing.T) {
	for _, r := range []io.Reader{(*strings.Reader)(nil), (*os.File)(nil), nil} {
		_, err := (&api{}).client(t).Signing.UploadDocument(t.Context(), mid.UploadSigningDocumentParams{File: mid.FileFromReader("a.pdf", r)})
		invalid, ok := errors.AsType[*mid.ValidationError](err)
		require.True(t, ok, "%v", err)
		require.Equal(t, "File", invalid.Field)
	}
}

// A token that can't be used does not become better by waiting.
func TestWaitEndsForATokenThatCanNotBeUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, token := range []*oauth2.Token{nil, {}, {AccessToken: "a\nb"}} {
			src := source(func(context.Context) (*oauth2.Token, error) { return token, nil })
			for _, opt := range []mid.Option{mid.WithTokenSource(src), mid.WithTokenCache(fixedCache{token: token})} {
				start := time.Now()
				_, err := (&api{}).client(t, opt).Authentication.WaitForSession(t.Context(), "sess_1", mid.PollOptions{})
				_, ok := errors.AsType[*mid.ValidationError](err)
				require.True(t, ok, "%v", err)
				require.Zero(t, time.Since(start))
			}
		}
	})
}
