package midtest_test

import (
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

func TestClientWaitsForTheApproval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := midtest.NewServer(midtest.WithInMemory(), midtest.WithAutoComplete(time.Minute))
		defer srv.Close()
		client := srv.Client()
		session, err := client.Authentication.CreateSession(t.Context(), mid.CreateAuthSessionParams{Intent: mid.IntentLogin})
		require.NoError(t, err)
		session, err = client.Authentication.WaitForSession(t.Context(), session.ID, mid.PollOptions{})
		require.NoError(t, err)
		assert.Equal(t, mid.AuthApproved, session.Status)
		result, err := client.Authentication.Verify(t.Context(), mid.VerifyAuthenticationParams{SessionID: session.ID})
		require.NoError(t, err)
		assert.True(t, result.Verified)
		assert.Equal(t, 1, srv.TokenRequests())
	})
}

func TestClientUploads(t *testing.T) {
	srv := midtest.NewServer()
	defer srv.Close()
	client := srv.Client(mid.WithAppInfo("shop", "1.2"))
	doc, err := client.Signing.UploadDocument(t.Context(), mid.UploadSigningDocumentParams{
		File: mid.FileFromBytes("lease.pdf", []byte("%PDF-1.7")),
		Name: "Lease",
	})
	require.NoError(t, err)
	assert.Equal(t, "Lease", doc.Name)
	assert.EqualValues(t, 8, doc.Size)
	_, err = client.Identity.UploadDocument(t.Context(), mid.UploadIdentityDocumentParams{
		File: mid.FileFromBytes("a.png", []byte("x")),
		Type: "library_card",
	})
	require.ErrorIs(t, err, mid.ErrInvalidRequest)
	assert.Contains(t, srv.Requests()[0].Header.Get("User-Agent"), "shop/1.2")
}

func TestClientPanicsIfAnOptionIsRefused(t *testing.T) {
	srv := midtest.NewServer()
	defer srv.Close()
	assert.PanicsWithValue(t, "midtest: Client: an option was refused: "+refusal(t), func() {
		srv.Client(mid.WithBaseURL("nonsense"))
	})
}

func refusal(t *testing.T) string {
	t.Helper()
	_, err := mid.NewClient("id", "secret", mid.WithBaseURL("nonsense"))
	require.Error(t, err)
	return err.Error()
}

func TestListenerOfOnesOwn(t *testing.T) {
	l, err := net.Listen("tcp", ":0")
	require.NoError(t, err)
	srv := midtest.NewServer(midtest.WithListener(l))
	defer srv.Close()
	assert.True(t, strings.HasPrefix(srv.URL, "http://127.0.0.1:"), srv.URL)
	res, err := http.Get(srv.URL)
	require.NoError(t, err)
	res.Body.Close()
	assert.Equal(t, 404, res.StatusCode)
}

func TestCloseEndsEverything(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 5 {
		c := &caller{t: t, srv: midtest.NewServer(midtest.WithAutoComplete(time.Hour))}
		c.authorize()
		c.srv.HandleCallbacks(&receiver{})
		require.NoError(t, c.srv.Reject(c.session(callback).ID))
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(c.srv.Close)
		}
		wg.Wait()
		c.srv.HandleCallbacks(&receiver{})          // must start nothing
		_, err := c.srv.HTTPClient().Get(c.srv.URL) //nolint:bodyclose // there is none
		require.Error(t, err)
		assert.Len(t, c.srv.Requests(), 2)
	}
	// Close does not wait for what ends last, the client's side of a connection.
	assert.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+1 }, 5*time.Second, time.Millisecond)
}
