package mid

import (
	"time"

	"github.com/mobid-io/mid-go/internal/credentials"
)

// maxTokenRetries is small, because only the calls that wait for a token know their
// deadlines.
const maxTokenRetries = 2

// NewTokenCache returns a [TokenCache] within the process, like the one that each
// client has by default. Several clients with the same credentials can share it. A
// cache that processes share can keep its token in one, so that a call needs no
// round trip. It waits for a fetch as long as a client with [DefaultRetryPolicy].
func NewTokenCache() TokenCache { return newTokenCache(DefaultRetryPolicy().MaxRetryAfter) }

// newTokenCache takes the longest wait of the limiter: a token request must not
// end sooner than it may wait there.
func newTokenCache(maxWait time.Duration) *credentials.Cache {
	return &credentials.Cache{Patience: 5*time.Minute + (maxTokenRetries+1)*maxWait}
}
