package e2e_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// message is something to be signed with a secret.
type message struct {
	secret  string
	payload []byte
}

// TestHMACByOpenSSL compares signatures with those of openssl.
func TestHMACByOpenSSL(t *testing.T) {
	openssl := tool(t, "openssl", "apt-get install openssl")
	file := filepath.Join(t.TempDir(), "payload")
	testHMAC(t, func(messages []message) (sums []string) {
		for _, m := range messages {
			require.NoError(t, os.WriteFile(file, m.payload, 0o600))
			// -macopt takes any key, -hmac none with a NUL.
			key := "hexkey:" + hex.EncodeToString([]byte(m.secret))
			_, sum, _ := strings.Cut(run(t, nil, openssl, "dgst", "-sha256", "-mac", "HMAC", "-macopt", key, file), "= ")
			sums = append(sums, sum)
		}
		return sums
	})
}

// TestHMACByNode compares signatures with those of node's crypto.
func TestHMACByNode(t *testing.T) {
	node := tool(t, "node", "apt-get install nodejs")
	const script = `for (const line of require('fs').readFileSync(0, 'latin1').trimEnd().split('\n')) {
		const [secret, payload] = line.split(' ').map(part => Buffer.from(part, 'hex'))
		console.log(require('crypto').createHmac('sha256', secret).update(payload).digest('hex'))
	}`
	testHMAC(t, func(messages []message) []string {
		var in bytes.Buffer
		for _, m := range messages {
			fmt.Fprintf(&in, "%x %x\n", m.secret, m.payload)
		}
		return strings.Fields(run(t, &in, node, "-e", script))
	})
}

// testHMAC holds Sign and Verify, and the fake server's deliveries, to what
// another implementation says.
func testHMAC(t *testing.T, sign func([]message) []string) {
	t.Helper()
	var messages []message
	for _, secret := range []string{"k", "whsec_0123456789", "Schlüssel mit Leerzeichen", "\x00\x01\xff", strings.Repeat("x", 64), strings.Repeat("y", 65)} {
		for _, payload := range []string{"", `{"id":"evt_1"}`, "{\"name\":\"Zoë\"}\r\n", "\x00\xff\n\x00", strings.Repeat("mid", 1<<18)} {
			messages = append(messages, message{secret, []byte(payload)})
		}
	}
	sums := sign(messages)
	require.Len(t, sums, len(messages))
	for i, m := range messages {
		hooks, err := mid.NewWebhookService(mid.WebhookConfig{Secrets: []string{m.secret}})
		require.NoError(t, err)
		name, sum := fmt.Sprintf("secret %q, %d bytes", m.secret, len(m.payload)), strings.TrimSpace(sums[i])
		require.Len(t, sum, 64)
		assert.Equal(t, sum, hooks.Sign(m.payload), name)
		require.NoError(t, hooks.Verify(m.payload, sum), name)
		require.ErrorIs(t, hooks.Verify(append(bytes.Clone(m.payload), ' '), sum), mid.ErrInvalidSignature, name)
	}

	srv := newMID(t)
	recv := newReceiver(srv.Client().Webhooks.Handler(mid.EventHandlers{}))
	srv.HandleCallbacks(recv)
	require.NoError(t, srv.Approve(newWorld(t, srv).auth.ID, ""))
	x := recv.next(t)
	sums = sign([]message{{srv.WebhookSecret, x.body}})
	assert.Equal(t, strings.TrimSpace(sums[0]), x.header.Get(mid.SignatureHeader))
	assert.Equal(t, 204, x.status)
}

// run returns what a program printed.
func run(t *testing.T, in io.Reader, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin = in
	out, err := cmd.Output()
	require.NoError(t, err, "%s", name)
	return string(out)
}
