package e2e_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

const uploadSize = 20 << 20

// largeFile is a file that is made up as it is read, and its SHA-256.
func largeFile(t *testing.T) (mid.File, string) {
	t.Helper()
	open := func() (io.ReadCloser, error) {
		return io.NopCloser(io.LimitReader(rand.NewChaCha8([32]byte{7}), uploadSize)), nil
	}
	r, err := open()
	require.NoError(t, err)
	hash := sha256.New()
	_, err = io.Copy(hash, r)
	require.NoError(t, err)
	return mid.File{Name: "large.pdf", Size: uploadSize, Open: open}, hex.EncodeToString(hash.Sum(nil))
}

// TestBadNetworkUploads sends 20 MiB through networks that are slow all the
// time, or break half-way and are then mended.
func TestBadNetworkUploads(t *testing.T) {
	for _, bad := range []struct {
		name, kind, direction, attributes string
		attempts                          int
	}{
		{"latency", "latency", "upstream", `{"latency":100,"jitter":50}`, 1},
		{"slices", "slicer", "upstream", `{"average_size":8192,"size_variation":4096,"delay":10}`, 1},
		{"bandwidth", "bandwidth", "upstream", `{"rate":8192}`, 1},
		{"cut half-way", "limit_data", "upstream", `{"bytes":10485760}`, 3},
		{"reset on the way", "reset_peer", "upstream", `{"timeout":30}`, 3},
		{"silence on the way", "timeout", "upstream", `{"timeout":0}`, 3},
		{"answer cut", "limit_data", "downstream", `{"bytes":300}`, 3},
	} {
		t.Run(bad.name, func(t *testing.T) {
			n := newBadNetwork(t)
			file, sum := largeFile(t)
			c := n.client(n.healAfter(2), mid.WithTokenSource(ownToken(n.srv)), mid.WithAttemptTimeout(2*time.Second))
			n.add(bad.kind, bad.direction, bad.attributes)
			var answer mid.Response
			var most atomic.Int64
			doc, err := c.Signing.UploadDocument(bounded(t), mid.UploadSigningDocumentParams{
				File:     file,
				Progress: func(sent, _ int64) { most.Store(sent) },
			}, mid.WithResponse(&answer))
			require.NoError(t, err)
			assert.Equal(t, sum, doc.SHA256)
			assert.EqualValues(t, uploadSize, doc.Size)
			assert.EqualValues(t, uploadSize, most.Load())
			assert.Equal(t, bad.attempts, answer.Attempts)
		})
	}
}

// TestBadNetworkUploadOutlivesTheTimeout sends for much longer than an attempt
// may make no progress.
func TestBadNetworkUploadOutlivesTheTimeout(t *testing.T) {
	n := newBadNetwork(t)
	file, sum := largeFile(t)
	// What the kernel has buffered at the end takes a second or more.
	c := n.client(mid.WithTokenSource(ownToken(n.srv)), mid.WithAttemptTimeout(3*time.Second), quickRetries(0))
	n.add("bandwidth", "upstream", `{"rate":4000}`)
	began := time.Now()
	doc, err := c.Signing.UploadDocument(bounded(t), mid.UploadSigningDocumentParams{File: file})
	require.NoError(t, err)
	assert.Equal(t, sum, doc.SHA256)
	assert.Greater(t, time.Since(began), 4*time.Second)
}

// TestBadNetworkUploadIsCancelled stops an upload that hangs, at once.
func TestBadNetworkUploadIsCancelled(t *testing.T) {
	n := newBadNetwork(t)
	file, _ := largeFile(t)
	n.add("bandwidth", "upstream", `{"rate":100}`)
	ctx, cancel := context.WithCancel(t.Context())
	var cancelled time.Time
	// Once it is under way: the token has come by then.
	begun := sync.OnceFunc(func() {
		time.AfterFunc(200*time.Millisecond, func() { cancelled = time.Now(); cancel() })
	})
	_, err := n.client(mid.WithTokenSource(ownToken(n.srv))).Signing.UploadDocument(ctx, mid.UploadSigningDocumentParams{
		File: file, Progress: func(int64, int64) { begun() },
	})
	require.ErrorIs(t, err, context.Canceled)
	assert.Less(t, time.Since(cancelled), 2*time.Second)
}

// failingBody counts answers that end early.
type failingBody struct {
	io.ReadCloser
	failed *atomic.Int32
}

func (b *failingBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		b.failed.Add(1)
	}
	return n, err
}

// ownToken gets tokens past the proxy, so that a test can count the sends of
// the call that it is about.
func ownToken(srv *midtest.Server) mid.TokenSource { return straightToken{srv} }

type straightToken struct{ srv *midtest.Server }

func (s straightToken) Token(ctx context.Context) (*oauth2.Token, error) {
	var data struct {
		AccessToken string `json:"access_token"`
	}
	err := s.srv.Client(mid.WithTokenSource(mid.OAuth2TokenSource(oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "none"})))).
		Call(ctx, "POST", "/auth/token", map[string]string{
			"client_id": s.srv.ClientID, "client_secret": s.srv.ClientSecret, "grant_type": "client_credentials",
		}, &data)
	return &oauth2.Token{AccessToken: data.AccessToken}, err
}
