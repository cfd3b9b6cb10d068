package midtest

import (
	"sync"
	"unicode/utf8"

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

func newRepeats() repeats { return repeats{first: map[string]firstAnswer{}} }

// do answers a request once for each key: the same request again gets the
// first answer, another one a conflict. The lock is held while work runs, so
// that of two requests at the same time the second finds the first's answer.
// An error is forgotten, so that the request may be tried again.
func (r *repeats) do(keys []string, request string, work func() (*answer, error)) (*answer, error) {
	switch {
	case len(keys) == 0:
		return work()
	case len(keys) > 1:
		return nil, invalid([]mid.FieldError{{Field: keyHeader, Message: "must be given once"}})
	case keys[0] == "" || utf8.RuneCountInString(keys[0]) > maxKey || !utf8.ValidString(keys[0]):
		return nil, invalid([]mid.FieldError{{Field: keyHeader, Message: "must have 1 to 255 characters, in UTF-8"}})
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if first, ok := r.first[keys[0]]; ok {
		if first.request != request {
			return nil, newProblem(mid.CodeIdempotencyConflict, "the idempotency key was used for another request; use a new one")
		}
		return first.answer, nil
	}
	a, err := work()
	if err == nil {
		r.first[keys[0]] = firstAnswer{request, a}
	}
	return a, err
}
