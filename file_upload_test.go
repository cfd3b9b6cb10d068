package mid_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/mobid-io/mid-go"
)

func uploadFile(ctx context.Context, c *mid.Client, file mid.File) error {
	_, err := c.Signing.UploadDocument(ctx, mid.UploadSigningDocumentParams{File: file})
	return err
}

// The wire has a Content-Length, unless the size is not known: then the file
// is sent in chunks.
func TestUploadsHaveAContentLengthIfTheSizeIsKnown(t *testing.T) {
	type framing struct {
		length  int64
		chunked bool
		got     int
	}
	var seen framing
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		seen = framing{r.ContentLength, len(r.TransferEncoding) > 0, len(body)}
		_, _ = io.WriteString(w, ok(`{"id":"doc_1","session_id":"doc_1","status":"pending"}`))
	}))
	defer server.Close()
	c, err := mid.NewClient("", "", staticToken(), mid.WithBaseURL(server.URL+"/v1"))
	require.NoError(t, err)

	const content = "%PDF-1.7 a lease"
	path := filepath.Join(t.TempDir(), "lease.pdf")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	byPath, err := mid.FileFromPath(path)
	require.NoError(t, err)
	inMemory := mid.FileFromBytes("lease.pdf", []byte(content))
	for name, tt := range map[string]struct {
		file  mid.File
		known bool
	}{
		"path":      {byPath, true},
		"bytes":     {inMemory, true},
		"own":       {mid.File{Name: "lease.pdf", Size: int64(len(content)), Open: inMemory.Open}, true},
		"own blank": {mid.File{Name: "lease.pdf", Open: inMemory.Open}, false},
		"stream":    {mid.FileFromReader("lease.pdf", io.MultiReader(strings.NewReader(content))), false},
	} {
		require.NoError(t, uploadFile(t.Context(), c, tt.file), name)
		require.Greater(t, seen.got, len(content), name)
		want := framing{length: -1, chunked: true, got: seen.got}
		if tt.known {
			want = framing{length: int64(seen.got), got: seen.got}
		}
		require.Equal(t, want, seen, name)
	}
}

// An upload that is repeated with the caller's own Idempotency-Key has the same
// body, byte for byte, also by another client of the account; one with another
// key, or without one, has a boundary that no one can foresee.
func TestUploadsWithTheSameKeyHaveTheSameBody(t *testing.T) {
	a := &api{handle: answers(status(201, ok(`{"id":"doc_1","session_id":"doc_1","status":"pending"}`)))}
	send := func(secret string, opts ...mid.RequestOption) string {
		c, err := mid.NewClient(testID, secret, mid.WithHTTPClient(&http.Client{Transport: a}), staticToken())
		require.NoError(t, err)
		_, err = c.Signing.UploadDocument(t.Context(), mid.UploadSigningDocumentParams{File: mid.FileFromBytes("a.pdf", []byte("%PDF"))}, opts...)
		require.NoError(t, err)
		require.Contains(t, last(a.sent()).Body, strings.TrimPrefix(last(a.sent()).Header.Get("Content-Type"), "multipart/form-data; boundary="))
		return last(a.sent()).Header.Get("Content-Type") + last(a.sent()).Body
	}
	first := send(testSecret, mid.WithIdempotencyKey("order-7"))
	require.Equal(t, first, send(testSecret, mid.WithIdempotencyKey("order-7")))
	require.NotEqual(t, first, send(testSecret, mid.WithIdempotencyKey("order-8")))
	require.NotEqual(t, first, send("another secret", mid.WithIdempotencyKey("order-7")), "who does not know the secret can't tell it")
	foreseen := send("", mid.WithIdempotencyKey("order-7"))
	require.NotEqual(t, foreseen, send("", mid.WithIdempotencyKey("order-7")), "without a secret there is nothing to make it of")
	unkeyed := send(testSecret)
	require.NotEqual(t, unkeyed, send(testSecret))
}

// The size that a File tells is checked, and is the total of its Progress.
func TestUploadsGoByTheSizeOfTheFile(t *testing.T) {
	open := mid.FileFromBytes("", []byte("0123456789")).Open
	for size, want := range map[int64]string{
		0: "", 10: "",
		20: "mid: POST /identity/documents: the file is 10 bytes, its Size says 20",
		4:  "mid: POST /identity/documents: the file is more than 4 bytes, its Size says 4",
	} {
		var total int64
		c := (&api{handle: answers(status(201, ok(`{"id":"doc_1","session_id":"doc_1","status":"pending"}`)))}).client(t)
		_, err := c.Identity.UploadDocument(t.Context(), mid.UploadIdentityDocumentParams{
			File: mid.File{Name: "selfie.jpg", Size: size, Open: open}, Type: mid.DocumentSelfie,
			Progress: func(_, of int64) { total = of },
		})
		if want == "" {
			require.NoError(t, err)
		} else {
			require.EqualError(t, err, want)
		}
		if size == 0 {
			size = -1
		}
		require.Equal(t, size, total)
	}
}

// A ContentType that the caller gives wins over the name's and the content's.
func TestUploadsHaveTheContentTypeOfTheFile(t *testing.T) {
	for name, want := range map[string]string{
		"scan.png": "scan.png image/webp %PDF", "scan": "scan image/webp %PDF",
	} {
		a := &api{handle: answers(status(201, ok(`{"id":"doc_1","session_id":"doc_1","status":"pending"}`)))}
		file := mid.FileFromBytes(name, []byte("%PDF"))
		file.ContentType = "image/webp"
		require.NoError(t, uploadFile(t.Context(), a.client(t), file))
		require.Equal(t, map[string]string{"file": want}, parts(t, last(a.sent())))
	}
}

// An upload takes the same memory whatever the size of the file.
func TestUploadsOfFilesTakeConstantMemory(t *testing.T) {
	const size = 64 << 20
	dir := t.TempDir()
	path := filepath.Join(dir, "lease.pdf")
	handle, err := os.Create(path)
	require.NoError(t, err)
	defer handle.Close()
	require.NoError(t, handle.Truncate(size))
	byPath, err := mid.FileFromPath(path)
	require.NoError(t, err)
	byFS, err := mid.FileFromFS(os.DirFS(dir), "lease.pdf")
	require.NoError(t, err)

	var sent int64
	c, err := mid.NewClient("", "", staticToken(), mid.WithHTTPClient(&http.Client{Transport: tripper(func(r *http.Request) (*http.Response, error) {
		var err error
		sent, err = copyAll(io.Discard, r.Body)
		return answer(201, ok(`{"id":"doc_1","session_id":"doc_1","status":"pending"}`)), err
	})}))
	require.NoError(t, err)
	for name, file := range map[string]mid.File{
		"path": byPath, "fs": byFS, "reader": mid.FileFromReader("lease.pdf", handle),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		require.NoError(t, uploadFile(t.Context(), c, file), name)
		runtime.ReadMemStats(&after)
		require.Greater(t, sent, int64(size), name)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(size/8), name)
	}
}

type closeCounter struct {
	io.Reader
	closed *int
}

func (c closeCounter) Close() error { *c.closed++; return nil }

// Every reader of the file is closed when the upload has ended, however it
// did: even one that was opened to tell the media type, of a file never sent.
func TestUploadsCloseTheFile(t *testing.T) {
	created, refused := status(201, ok(`{"id":"doc_1","session_id":"doc_1","status":"pending"}`)), status(400, problem("invalid_request", "no", ""))
	down, reset := status(503, "down"), failed(errors.New("connection reset"))
	noToken := mid.WithTokenSource(source(func(context.Context) (*oauth2.Token, error) { return nil, errors.New("no token") }))
	for name, tt := range map[string]struct {
		answers []func() (*http.Response, error)
		content io.Reader // after the first byte
		token   mid.Option
		fails   bool
	}{
		"created":         {answers: []func() (*http.Response, error){created}},
		"retried":         {answers: []func() (*http.Response, error){down, reset, created}},
		"refused":         {answers: []func() (*http.Response, error){refused}, fails: true},
		"never answered":  {answers: []func() (*http.Response, error){reset}, fails: true},
		"unreadable file": {answers: []func() (*http.Response, error){created}, content: failingReader{io.ErrClosedPipe}, fails: true},
		"without a token": {token: noToken, fails: true},
	} {
		for _, fileName := range []string{"lease.pdf", "to be sniffed"} {
			t.Run(name+" "+fileName, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					opened, closed := 0, 0
					file := mid.File{Name: fileName, Open: func() (io.ReadCloser, error) {
						opened++
						content := tt.content
						if content == nil {
							content = strings.NewReader("PDF")
						}
						return closeCounter{io.MultiReader(strings.NewReader("%"), content), &closed}, nil
					}}
					opts := []mid.Option{mid.WithRetry(mid.RetryPolicy{MaxRetries: 2})}
					if tt.token != nil {
						opts = append(opts, tt.token)
					}
					err := uploadFile(t.Context(), (&api{handle: answers(tt.answers...)}).client(t, opts...), file)
					require.Equal(t, tt.fails, err != nil)
					if tt.token == nil || fileName != "lease.pdf" {
						require.Positive(t, opened)
					}
					require.Equal(t, opened, closed)
				})
			})
		}
	}
}

// What a call returns for a file that fails is the file's failure, not what
// the connection made of it; and no other attempt is made. A file of unknown
// size is opened before anything is sent.
func TestFailureOfTheFileIsWhatTheUploadReturns(t *testing.T) {
	burnt := errors.New("the disk is on fire")
	for name, tt := range map[string]struct {
		file  mid.File
		want  string
		sends int
	}{
		"open":  {mid.File{Name: "a.pdf", Open: func() (io.ReadCloser, error) { return nil, burnt }}, "mid: POST /signing/documents: open the file: the disk is on fire", 0},
		"read":  {mid.FileFromReader("a.pdf", io.MultiReader(strings.NewReader("%PDF"), failingReader{burnt})), "mid: POST /signing/documents: read the file: the disk is on fire", 1},
		"short": {mid.File{Name: "a.pdf", Size: 9, Open: mid.FileFromBytes("", []byte("%PDF")).Open}, "mid: POST /signing/documents: the file is 4 bytes, its Size says 9", 1},
	} {
		t.Run(name, func(t *testing.T) {
			sends := 0
			c, err := mid.NewClient("", "", staticToken(), mid.WithHTTPClient(&http.Client{Transport: tripper(func(r *http.Request) (*http.Response, error) {
				sends++
				_, err := copyAll(io.Discard, r.Body)
				require.Error(t, err)
				return nil, errors.New("stream reset")
			})}))
			require.NoError(t, err)
			err = uploadFile(t.Context(), c, tt.file)
			require.EqualError(t, err, tt.want)
			require.Equal(t, name != "short", errors.Is(err, burnt))
			require.Equal(t, tt.sends, sends)
		})
	}
}

// An empty file is nearly always a reader that was read before. It is found
// before anything is sent, unless its Size claims otherwise.
func TestUploadsOfEmptyFilesAreRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lease.pdf")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	byPath, err := mid.FileFromPath(path)
	require.NoError(t, err)
	byFS, err := mid.FileFromFS(os.DirFS(filepath.Dir(path)), "lease.pdf")
	require.NoError(t, err)
	device, err := mid.FileFromPath(os.DevNull)
	require.NoError(t, err)
	read := strings.NewReader("%PDF")
	_, err = io.Copy(io.Discard, read)
	require.NoError(t, err)

	for name, file := range map[string]mid.File{
		"path": byPath, "fs": byFS, "device": device,
		"bytes":         mid.FileFromBytes("lease.pdf", nil),
		"read before":   mid.FileFromReader("lease.pdf", read),
		"buffer":        mid.FileFromReader("lease.pdf", new(bytes.Buffer)),
		"plain reader":  mid.FileFromReader("lease.pdf", io.MultiReader()),
		"to be sniffed": {Name: "lease", Open: func() (io.ReadCloser, error) { return readCloser(""), nil }},
		"of a size":     {Name: "lease.pdf", Size: 5, Open: func() (io.ReadCloser, error) { return readCloser(""), nil }},
	} {
		t.Run(name, func(t *testing.T) {
			a := &api{handle: answers(status(201, ok(`{"id":"doc_1","session_id":"doc_1","status":"pending"}`)))}
			c := a.client(t)
			_, identity := c.Identity.UploadDocument(t.Context(), mid.UploadIdentityDocumentParams{File: file, Type: mid.DocumentPassport})
			for _, err := range []error{uploadFile(t.Context(), c, file), identity} {
				v := requireInvalid(t, err)
				require.Equal(t, "File", v.Field)
				require.Equal(t, "is empty; was its reader read before?", v.Reason)
			}
			require.Empty(t, a.sent())
		})
	}
}

// Directories say where a file lies on the caller's machine.
func TestUploadsSendNoDirectories(t *testing.T) {
	content := []byte("%PDF")
	for name, want := range map[string]string{
		"/home/ada/lease.pdf": "lease.pdf", "docs/lease.pdf": "lease.pdf", `C:\Users\Ada\lease.pdf`: "lease.pdf",
		`a/b\lease.pdf`: "lease.pdf", `a\b/lease.pdf`: "lease.pdf", "../lease.pdf": "lease.pdf", "lease..pdf": "lease..pdf", "docs/ lease .pdf": " lease .pdf",
	} {
		for kind, file := range map[string]mid.File{
			"reader": mid.FileFromReader(name, bytes.NewReader(content)),
			"plain":  mid.FileFromReader(name, io.MultiReader(bytes.NewReader(content))),
			"bytes":  mid.FileFromBytes(name, content),
			"own":    {Name: name, Size: 4, Open: mid.FileFromBytes("", content).Open},
		} {
			a := &api{handle: answers(status(201, ok(`{"id":"doc_1","session_id":"doc_1","status":"pending"}`)))}
			require.NoError(t, uploadFile(t.Context(), a.client(t), file), kind)
			require.Equal(t, map[string]string{"file": want + " application/pdf %PDF"}, parts(t, last(a.sent())), kind)
		}
	}
	for _, name := range []string{"docs/", `docs\`, "/", "docs/ ", ".", "..", "docs/.."} {
		v := requireInvalid(t, uploadFile(t.Context(), (&api{}).client(t), mid.FileFromBytes(name, content)))
		require.Equal(t, mid.ValidationError{Field: "File.Name", Reason: "names a directory"}, *v, name)
	}
}

// A reader that returns nothing again and again would never end its upload.
func TestUploadsOfReadersWithoutProgress(t *testing.T) {
	for _, file := range []mid.File{
		mid.FileFromReader("lease.pdf", idleReader{}),
		mid.FileFromReader("lease", idleReader{}),
		mid.FileFromReader("lease.pdf", io.MultiReader(strings.NewReader("%PDF"), idleReader{})),
		{Name: "lease.pdf", Size: 9, Open: func() (io.ReadCloser, error) { return io.NopCloser(idleReader{}), nil }},
	} {
		a := &api{handle: answers(status(201, ok(`{"id":"doc_1","session_id":"doc_1","status":"pending"}`)))}
		require.ErrorIs(t, uploadFile(t.Context(), a.client(t), file), io.ErrNoProgress)
		require.Empty(t, a.sent())
	}
}

type idleReader struct{}

func (idleReader) Read([]byte) (int, error) { return 0, nil }

// What reads the file is a goroutine of net/http's, where a panic would end the
// program.
func TestPanicsOfAFileReachTheCaller(t *testing.T) {
	type bang struct{ what string }
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err == nil {
			w.WriteHeader(http.StatusServiceUnavailable) // so that the file is opened again
		}
	})
	plain := httptest.NewServer(handler)
	defer plain.Close()
	http2 := httptest.NewUnstartedServer(handler)
	http2.EnableHTTP2 = true
	http2.Config.ErrorLog = log.New(io.Discard, "", 0)
	http2.StartTLS()
	defer http2.Close()

	content := bytes.Repeat([]byte("%PDF"), 64<<10)
	type params = mid.UploadSigningDocumentParams
	for name, given := range map[string]func() params{
		"open": func() params {
			return params{File: mid.File{Name: "a.pdf", Size: 4, Open: func() (io.ReadCloser, error) { panic(bang{"open"}) }}}
		},
		"open ahead": func() params {
			return params{File: mid.File{Name: "a.pdf", Open: func() (io.ReadCloser, error) { panic(bang{"open ahead"}) }}}
		},
		"open again": func() params {
			opens := 0
			return params{File: mid.File{Name: "a.pdf", Size: 4, Open: func() (io.ReadCloser, error) {
				if opens++; opens == 2 {
					panic(bang{"open again"})
				}
				return readCloser("%PDF"), nil
			}}}
		},
		"read": func() params {
			return params{File: mid.FileFromReader("a.pdf", io.MultiReader(bytes.NewReader(content), panicReader{bang{"read"}}))}
		},
		"progress": func() params {
			return params{File: mid.FileFromBytes("a.pdf", content), Progress: func(int64, int64) { panic(bang{"progress"}) }}
		},
	} {
		for proto, srv := range map[string]*httptest.Server{"HTTP/1.1": plain, "HTTP/2": http2} {
			t.Run(name+" "+proto, func(t *testing.T) {
				c, err := mid.NewClient("", "", staticToken(), mid.WithBaseURL(srv.URL+"/v1"), mid.WithHTTPClient(srv.Client()),
					mid.WithRetry(mid.RetryPolicy{MaxRetries: 1, MinWait: time.Millisecond, MaxWait: time.Millisecond}))
				require.NoError(t, err)
				require.PanicsWithValue(t, bang{name}, func() { _, _ = c.Signing.UploadDocument(t.Context(), given()) })
			})
		}
	}
}

type panicReader struct{ value any }

func (r panicReader) Read([]byte) (int, error) { panic(r.value) }

// Both the end of ctx and what caused it match with errors.Is, wherever the
// upload was.
func TestUploadsKeepTheCauseOfTheirCtx(t *testing.T) {
	left := errors.New("the user went away")
	for name, hang := range map[string]func(stuck chan struct{}) mid.UploadSigningDocumentParams{
		"open ahead": func(stuck chan struct{}) mid.UploadSigningDocumentParams {
			return mid.UploadSigningDocumentParams{File: mid.File{Name: "a.pdf", Open: func() (io.ReadCloser, error) { <-stuck; return readCloser("%PDF"), nil }}}
		},
		"open": func(stuck chan struct{}) mid.UploadSigningDocumentParams {
			return mid.UploadSigningDocumentParams{File: mid.File{Name: "a.pdf", Size: 4, Open: func() (io.ReadCloser, error) { <-stuck; return readCloser("%PDF"), nil }}}
		},
		"read": func(stuck chan struct{}) mid.UploadSigningDocumentParams {
			return mid.UploadSigningDocumentParams{File: mid.FileFromReader("a.pdf", io.MultiReader(strings.NewReader("%PDF"), hungReader{stuck}))}
		},
		"progress": func(stuck chan struct{}) mid.UploadSigningDocumentParams {
			return mid.UploadSigningDocumentParams{File: mid.FileFromBytes("a.pdf", []byte("%PDF")), Progress: func(int64, int64) { <-stuck }}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stuck := make(chan struct{})
				defer close(stuck)
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(time.Second, func() { cancel(left) })
				_, err := (&api{handle: answers(status(201, ok(`{"id":"doc_1","session_id":"doc_1","status":"pending"}`)))}).client(t, staticToken()).Signing.UploadDocument(ctx, hang(stuck))
				require.ErrorIs(t, err, context.Canceled)
				require.ErrorIs(t, err, left)
			})
		})
	}
}
