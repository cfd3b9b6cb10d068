package mid_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// An attempt without progress is retried; the limiter's time and the time of
// other attempts do not count.
func TestAttemptTimeoutIsRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		a := &api{handle: func(r *http.Request) (*http.Response, error) {
			if n++; n < 3 {
				return hang(r)
			}
			return session(r)
		}}
		start := time.Now()
		require.NoError(t, look(t.Context(), a.client(t, mid.WithAttemptTimeout(10*time.Second))))
		require.GreaterOrEqual(t, time.Since(start), 20*time.Second)
		require.Less(t, time.Since(start), 23*time.Second)

		stuck := &api{handle: hang}
		err := look(t.Context(), stuck.client(t, mid.WithAttemptTimeout(10*time.Second)))
		require.ErrorContains(t, err, "no progress for 10s")
		require.ErrorContains(t, err, "after 4 attempts")
		require.NotErrorIs(t, err, context.Canceled)
	})
}

// A long upload, and a long answer, live as long as their bytes move.
func TestProgressKeepsAnAttemptAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slowAnswer := func(r *http.Request) (*http.Response, error) {
			resp := answer(200, "")
			resp.Body = io.NopCloser(&slowReader{text: ok(pendingSession), ctx: r.Context()})
			return resp, nil
		}
		a := &api{handle: slowAnswer}
		start := time.Now()
		require.NoError(t, look(t.Context(), a.client(t, mid.WithAttemptTimeout(10*time.Second))))
		require.Greater(t, time.Since(start), time.Minute)

		b := &api{handle: func(r *http.Request) (*http.Response, error) {
			if err := r.Context().Err(); err != nil {
				return nil, err // given up while the body was read
			}
			return answer(201, ok(`{"id":"doc_1","name":"a.pdf"}`)), nil
		}}
		start = time.Now()
		_, err := b.client(t, mid.WithAttemptTimeout(10*time.Second)).Signing.UploadDocument(t.Context(), mid.UploadSigningDocumentParams{
			File: mid.FileFromReader("a.pdf", &slowReader{text: strings.Repeat("x", 100)}),
		})
		require.NoError(t, err)
		require.Greater(t, time.Since(start), time.Minute)
		require.Len(t, b.sent(), 1)
	})
}

// slowReader gives a byte every nine seconds, and the rest after ten of them.
type slowReader struct {
	text string
	n    int
	ctx  context.Context // of the request, for an answer
}

func (r *slowReader) Read(p []byte) (int, error) {
	if r.text == "" {
		return 0, io.EOF
	}
	if r.n++; r.n <= 10 {
		time.Sleep(9 * time.Second)
		if r.ctx != nil && r.ctx.Err() != nil {
			return 0, r.ctx.Err()
		}
		p = p[:1]
	}
	n := copy(p, r.text)
	r.text = r.text[n:]
	return n, nil
}

// A large JSON body lives as long as its bytes move, like an upload.
func TestProgressOfALargeJSONBodyKeepsAnAttemptAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &api{handle: session}
		c := a.client(t, staticToken(), mid.WithAttemptTimeout(10*time.Second), mid.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
			return tripper(func(r *http.Request) (*http.Response, error) {
				var body bytes.Buffer
				for {
					time.Sleep(9 * time.Second)
					if err := r.Context().Err(); err != nil {
						return nil, err
					}
					if _, err := io.CopyN(&body, r.Body, 16<<10); errors.Is(err, io.EOF) {
						break
					}
				}
				r.Body = io.NopCloser(&body)
				return next.RoundTrip(r)
			})
		}))
		start := time.Now()
		require.NoError(t, c.Call(t.Context(), "PUT", "/x", strings.Repeat("x", 100<<10), nil))
		require.Greater(t, time.Since(start), time.Minute)
		require.Len(t, a.sent(), 1)
	})
}

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

// An answer that comes when no one waits for it any more is closed, which gives
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

type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error) { return 0, r.err }

// A reader that can be read only once costs no wait when it hangs after its
// first byte: there can be no other attempt.
func TestReaderThatHangsCostsNoFurtherWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck := make(chan struct{})
		defer close(stuck)
		transport := tripper(func(r *http.Request) (*http.Response, error) {
			go func() { _, _ = copyAll(io.Discard, r.Body) }()
			time.Sleep(time.Second)
			return answer(503, problem("service_unavailable", "later", "")), nil
		})
		c, err := mid.NewClient("", "", staticToken(), mid.WithHTTPClient(&http.Client{Transport: transport}))
		require.NoError(t, err)
		start := time.Now()
		_, err = c.Signing.UploadDocument(t.Context(), mid.UploadSigningDocumentParams{
			File: mid.FileFromReader("a.pdf", io.MultiReader(strings.NewReader("%PDF"), hungReader{stuck})),
		})
		require.ErrorIs(t, err, mid.ErrServer)
		require.Equal(t, time.Second, time.Since(start))
	})
}
