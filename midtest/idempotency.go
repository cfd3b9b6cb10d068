package midtest

import (
	"sync"

	"github.com/mobid-io/mid-go"
)

const (
	keyHeader = "Idempotency-Key"
	maxKey    = 255
)

// repeats remembers the first answer to every idempotency key.
type repeats struct {
	mu    sync.Mutex
	first map[string]firstAnswer
}

type firstAnswer struct {
	request string // what the first request asked
	answer  *answer
}

// do answers a request once for each key: the same request again gets the
// first answer, another one a conflict. The lock is held while work runs, so
// that of two requests at the same time the second finds the first's answer.
// An error is forgotten, so that the request may be tried again.
func (r *repeats) do(c *call, request string, work func() *answer) *answer {
	keys := c.r.Header.Values(keyHeader)
	if len(keys) == 0 {
		return work()
	}
	key := keys[0]
	if key == "" || len(key) > maxKey {
		return failure(c.id, invalid([]mid.FieldError{{Field: keyHeader, Message: "must have 1 to 255 characters"}}))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if first, ok := r.first[key]; ok {
		if first.request != request {
			return failure(c.id, newProblem(mid.CodeIdempotencyConflict, "the idempotency key was used for another request; use a new one"))
		}
		return first.answer
	}
	a := work()
	if a.status < 300 {
		r.first[key] = firstAnswer{request, a}
	}
	return a
}
