package midtest

import (
	"strings"
	"time"

	"github.com/mobid-io/mid-go/internal/random"
)

// store keeps resources of one kind by id and in the order of their creation.
type store[T any] struct {
	byID  map[string]*T
	order []*T
}

func newStore[T any]() store[T] { return store[T]{byID: map[string]*T{}} }

func (s *store[T]) add(id string, v *T) {
	s.byID[id] = v
	s.order = append(s.order, v)
}

// newID is a prefix, which tells the kind, and random text.
func newID(prefix string) string {
	return prefix + "_" + strings.ToLower(random.Text()[:20])
}

// now is the server's time as its answers tell it.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
