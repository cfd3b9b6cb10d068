package multipart

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkUpload compares a Body with the same bytes from the plainest reader
// there is, over loopback.
func BenchmarkUpload(b *testing.B) {
	const size = 256 << 20
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	defer server.Close()
	file := zeros(size)
	file.Progress = func(int64, int64) {}
	body, err := New(b.Context(), NewBoundary(), [][2]string{{"type", "selfie"}}, file)
	require.NoError(b, err)
	defer body.Close()

	bare := func() (io.ReadCloser, error) {
		content := io.LimitReader(zeroReader{}, size)
		return io.NopCloser(io.MultiReader(bytes.NewReader(body.head), content, bytes.NewReader(body.tail))), nil
	}
	for _, bc := range []struct {
		name string
		open func() (io.ReadCloser, error)
	}{{"bare", bare}, {"body", body.Open}} {
		b.Run(bc.name, func(b *testing.B) {
			b.SetBytes(size)
			b.ReportAllocs()
			for b.Loop() {
				r, err := bc.open()
				require.NoError(b, err)
				req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, server.URL, r)
				require.NoError(b, err)
				req.ContentLength = body.ContentLength()
				req.Header.Set("Content-Type", body.ContentType())
				resp, err := server.Client().Do(req)
				require.NoError(b, err)
				require.NoError(b, resp.Body.Close())
			}
		})
	}
}
