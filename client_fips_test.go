package mid_test

import (
	"crypto/fips140"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

// The mode is set when a program starts, so these tests run in a process of
// their own.
func TestUnderFIPS140Only(t *testing.T) {
	t.Parallel()
	if fips140.Enforced() {
		t.Skip("all tests run in this mode")
	}
	const tests = "^(TestFIPS140Only.*|TestUpload.*|TestEveryPOST.*|TestMethodsSendTheContractsRequests|TestDefaultTransportSpeaksTLS13OrNothing)$"
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run="+tests, "-test.v", "-test.timeout=2m")
	cmd.Env = append(os.Environ(), "GODEBUG=fips140=only")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Equal(t, 3, strings.Count(string(out), "\n--- PASS: TestFIPS140Only"), "%s", out)
}

func onlyUnderFIPS140(t *testing.T) {
	t.Helper()
	if !fips140.Enforced() {
		t.Skip("needs GODEBUG=fips140=only, see TestUnderFIPS140Only")
	}
}

// Package hmac panics over a key of less than 112 bits, at each delivery.
func TestFIPS140OnlyRefusesShortSecrets(t *testing.T) {
	onlyUnderFIPS140(t)
	const reason = "is shorter than 14 bytes, which GODEBUG=fips140=only does not allow for the key of webhooks"
	long, short := strings.Repeat("s", 14), strings.Repeat("s", 13)
	hooks, err := mid.NewWebhookService(mid.WebhookConfig{Secrets: []string{long}})
	require.NoError(t, err)
	require.NoError(t, hooks.Verify(nil, hooks.Sign(nil)))
	_, err = mid.NewWebhookService(mid.WebhookConfig{Secrets: []string{long, short}})
	require.Equal(t, &mid.ValidationError{Field: "WebhookConfig.Secrets[1]", Reason: reason}, err)

	_, err = mid.NewClient(testID, long)
	require.NoError(t, err)
	_, err = mid.NewClient(testID, short)
	require.Equal(t, &mid.ValidationError{Field: "clientSecret", Reason: reason}, err)
	_, err = mid.NewClient(testID, short, mid.WithWebhooks(mid.WebhookConfig{Secrets: []string{long}}))
	require.NoError(t, err)
}

// The boundary of an upload with a key is made of the client secret.
func TestFIPS140OnlyUploadsWithAShortClientSecret(t *testing.T) {
	onlyUnderFIPS140(t)
	a := &api{handle: answers(status(201, ok(`{"id":"doc_1"}`)))}
	c, err := mid.NewClient(testID, "short", mid.WithHTTPClient(&http.Client{Transport: a}),
		mid.WithWebhooks(mid.WebhookConfig{Secrets: []string{"a-secret-of-webhooks"}}))
	require.NoError(t, err)
	_, err = c.Signing.UploadDocument(t.Context(), mid.UploadSigningDocumentParams{File: mid.FileFromBytes("a.pdf", []byte("%PDF"))},
		mid.WithIdempotencyKey("order-7"))
	require.NoError(t, err)
}

// In a bubble package rand finds no entropy in this mode.
func TestFIPS140OnlyWorksInABubble(t *testing.T) {
	onlyUnderFIPS140(t)
	synctest.Test(t, func(t *testing.T) {
		server := midtest.NewServer(midtest.WithInMemory(), midtest.WithAutoComplete(time.Second))
		defer server.Close()
		c := server.Client()
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				s, err := c.Authentication.CreateSession(t.Context(), mid.CreateAuthSessionParams{Intent: mid.IntentLogin})
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := c.Authentication.WaitForSession(t.Context(), s.ID, mid.PollOptions{}); err != nil {
					t.Error(err)
				}
				if err := uploadFile(t.Context(), c, mid.FileFromBytes("a.pdf", []byte("%PDF-1.7"))); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	})
}
