package mid

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"net/http"
	"strings"
	"sync"
)

// webhookKey computes HMACs with one secret. It keeps their state for reuse,
// because keying one is most of what Verify would allocate. No field holds the
// secret, because package fmt would show it.
type webhookKey struct{ macs sync.Pool }

type webhookMAC struct {
	hash.Hash
	sum [sha256.Size]byte
}

func newWebhookKey(secret string) *webhookKey {
	return &webhookKey{macs: sync.Pool{New: func() any {
		return &webhookMAC{Hash: hmac.New(sha256.New, []byte(secret))}
	}}}
}

func (k *webhookKey) sum(payload []byte) [sha256.Size]byte {
	mac := k.macs.Get().(*webhookMAC)
	defer k.macs.Put(mac)
	mac.Reset()
	mac.Write(payload)
	mac.Sum(mac.sum[:0])
	return mac.sum
}

func decodeSignature(text string) (sum [sha256.Size]byte, err error) {
	if text == "" {
		return sum, ErrMissingSignature
	}
	if len(text) == hex.EncodedLen(len(sum)) {
		if _, err = hex.Decode(sum[:], []byte(text)); err == nil {
			return sum, nil
		}
	}
	return sum, fmt.Errorf("%w: it is not %d hexadecimal digits", ErrInvalidSignature, hex.EncodedLen(len(sum)))
}

// mismatch says what to look at when a signature does not verify. It is given the
// payload only, so that it can't reveal anything of the secrets.
func mismatch(payload []byte) string {
	switch {
	case len(payload) == 0:
		return "the body is empty; was it read by a middleware before?"
	case reformatted(payload):
		return "the body looks like JSON that was decoded and encoded again; it must be the exact bytes that MID sent"
	}
	return "it was made over other bytes or with another secret"
}

// reformatted reports whether payload has the white space that JSON encoders add
// for readability, or to end a line.
func reformatted(payload []byte) bool {
	return payload[0] == '{' && (payload[len(payload)-1] == '\n' || bytes.HasPrefix(payload, []byte("{\n")) || bytes.Contains(payload, []byte(`": `)))
}

// headerValue finds a header whose key may be in any case. If several keys differ
// only in their case, the canonical one counts, else the first in order.
func headerValue(header http.Header, name string) string {
	if value := header.Get(name); value != "" {
		return value
	}
	var found string
	for key, values := range header {
		if strings.EqualFold(key, name) && len(values) > 0 && (found == "" || key < found) {
			found = key
		}
	}
	if found == "" {
		return ""
	}
	return header[found][0]
}
