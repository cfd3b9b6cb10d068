package multipart

import (
	"context"
	"fmt"
	"io"
	mimemultipart "mime/multipart"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// zeros is a file of any size that takes no memory.
func zeros(size int64) File {
	return File{Name: "big.pdf", Size: size, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(io.LimitReader(zeroReader{}, size)), nil
	}}
}

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
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

	// Each reader is told from the next by a counter without a lock, which the
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
	require.NoError(t, b.Close())
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
	file := (&source{t: t, content: "short"}).file("a.pdf")
	file.Size = 10
	b := newBody(t, nil, file)
	require.Error(t, send(t.Context(), b, server.URL))
	require.EqualError(t, b.Err(), "the file is 5 bytes, its Size says 10")

	server.Close()
	b = newBody(t, nil, (&source{t: t, content: "fine"}).file("a.pdf"))
	require.Error(t, send(t.Context(), b, server.URL))
	require.NoError(t, b.Err())
}

func FuzzMultipart(f *testing.F) {
	f.Add("name", "Lease", "lease.pdf", []byte("%PDF-1.7"), true)
	f.Add("type", "", `a "b" \`, []byte{}, false)
	f.Add("näme", "\r\n--mid-", "\xff\r\n", []byte("\r\n--mid-\r\n"), true)
	f.Fuzz(func(t *testing.T, field, value, name string, content []byte, sized bool) {
		file := (&source{t: t, content: string(content)}).file(name)
		if !sized {
			file.Size = 0
		}
		b := newBody(t, [][2]string{{field, value}}, file)
		sent := readAll(t, b)
		if b.ContentLength() != -1 {
			require.EqualValues(t, len(sent), b.ContentLength())
		}
		require.NoError(t, b.Rewind(t.Context()))
		require.Equal(t, sent, readAll(t, b))
		if strings.ContainsFunc(field+name, func(r rune) bool { return r < ' ' && r != '\r' && r != '\n' || r == 0x7f }) {
			return // mime refuses them; File.validate does before
		}
		parts := parse(t, b.ContentType(), sent)
		if value != "" {
			require.Equal(t, value, parts[0].content)
			require.Equal(t, unescaped(field), params(t, parts[0])["name"])
			parts = parts[1:]
		}
		require.Len(t, parts, 1)
		require.Equal(t, string(content), parts[0].content)
		require.Equal(t, "file", params(t, parts[0])["name"])
		require.Equal(t, unescaped(name), params(t, parts[0])["filename"])
	})
}
