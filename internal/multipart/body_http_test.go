package multipart

import (
	"context"
	"fmt"
	"io"
	mimemultipart "mime/multipart"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFieldsAndFileReachAServer(t *testing.T) {
	for name, size := range map[string]int64{"length": 11, "chunked": 0} {
		t.Run(name, func(t *testing.T) {
			type seen struct {
				length                        int64
				encoding                      []string
				kind, filename, fileType, got string
			}
			var got seen
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				f, header, err := r.FormFile("file")
				if err != nil {
					http.Error(w, err.Error(), http.StatusBadRequest)
					return
				}
				content, _ := io.ReadAll(f)
				got = seen{r.ContentLength, r.TransferEncoding, r.FormValue("type"), header.Filename, header.Header.Get("Content-Type"), string(content)}
			}))
			defer server.Close()

			file := (&disk{t: t, content: "hello world"}).file("selfie.jpg")
			file.Size = size
			b := newBody(t, [][2]string{{"type", "selfie"}}, file)
			req, err := http.NewRequest(http.MethodPost, server.URL, open(t, b))
			require.NoError(t, err)
			req.ContentLength = b.ContentLength()
			req.Header.Set("Content-Type", b.ContentType())
			resp, err := server.Client().Do(req)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			require.Equal(t, http.StatusOK, resp.StatusCode)

			want := seen{b.ContentLength(), nil, "selfie", "selfie.jpg", "image/jpeg", "hello world"}
			if size == 0 {
				want.encoding = []string{"chunked"}
			}
			require.Equal(t, want, got)
			require.NoError(t, b.Err())
		})
	}
}

func send(ctx context.Context, b *Body, url string) error {
	r, err := b.Open()
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, r)
	if err != nil {
		return err
	}
	req.ContentLength = b.ContentLength()
	req.Header.Set("Content-Type", b.ContentType())
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	return nil
}

// filePart reads a request up to the content of its file.
func filePart(r *http.Request) (*mimemultipart.Part, error) {
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, err
	}
	for {
		p, err := parts.NextPart()
		if err != nil || p.FormName() == "file" {
			return p, err
		}
	}
}

func TestMemoryIsConstant(t *testing.T) {
	const size = 64 << 20
	var got int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, err := filePart(r)
		if err == nil {
			got, err = io.Copy(io.Discard, p)
		}
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	defer server.Close()
	require.NoError(t, send(t.Context(), newBody(t, nil, zeros(1<<20)), server.URL))

	var before, now runtime.MemStats
	var most uint64
	file := zeros(size)
	file.Progress = func(sent, _ int64) {
		if sent%(8<<20) == 0 {
			runtime.GC()
			runtime.ReadMemStats(&now)
			most = max(most, now.HeapAlloc)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&before)
	require.NoError(t, send(t.Context(), newBody(t, nil, file), server.URL))
	require.EqualValues(t, size, got)
	require.NotZero(t, most)
	require.Less(t, most, before.HeapAlloc+2<<20)
}

// The server answers before it has read the body, so net/http is still at it
// when the attempt has ended.
func TestReplayWhileTheOldAttemptIsStillSent(t *testing.T) {
	const size = 8 << 20
	var (
		mu    sync.Mutex
		tries int
		got   int64
	)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if tries++; tries < 6 {
			_, _ = io.CopyN(io.Discard, r.Body, 1<<20)
			w.Header().Set("Connection", "close")
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		p, err := filePart(r)
		if err == nil {
			got, err = io.Copy(io.Discard, p)
		}
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	defer server.Close()

	// Each reader is distinguished from the next by a counter without a lock, which the
	// race detector watches.
	var opened, closed, touched int
	file := zeros(size)
	content := file.Open
	file.Open = func() (io.ReadCloser, error) {
		opened++
		rc, err := content()
		return &touching{rc, &touched, &closed}, err
	}
	var last int64
	file.Progress = func(sent, _ int64) { last = sent }
	b := newBody(t, [][2]string{{"type", "selfie"}}, file)
	for tries := 1; send(t.Context(), b, server.URL) != nil; tries++ {
		require.Less(t, tries, 6)
		require.NoError(t, b.Err())
		require.NoError(t, b.Rewind(t.Context()))
	}
	b.Close()
	require.EqualValues(t, size, got)
	require.EqualValues(t, size, last)
	require.Equal(t, opened, closed)
}

type touching struct {
	io.ReadCloser
	touched, closed *int
}

func (r *touching) Read(p []byte) (int, error) {
	*r.touched++
	return r.ReadCloser.Read(p)
}

func (r *touching) Close() error {
	*r.closed++
	return r.ReadCloser.Close()
}

func TestFailureOfTheFileIsToldApartFromTheConnections(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	file := (&disk{t: t, content: "short"}).file("a.pdf")
	file.Size = 10
	b := newBody(t, nil, file)
	require.Error(t, send(t.Context(), b, server.URL))
	require.EqualError(t, b.Err(), "the file is 5 bytes, its Size says 10")

	server.Close()
	b = newBody(t, nil, (&disk{t: t, content: "fine"}).file("a.pdf"))
	require.Error(t, send(t.Context(), b, server.URL))
	require.NoError(t, b.Err())
}
