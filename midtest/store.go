package midtest

import (
	"crypto/rand"
	"slices"
	"strings"
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

// snapshots copies a store, the newest first.
func snapshots[T, V any](s store[T], snapshot func(*T) V) []V {
	all := make([]V, 0, len(s.order))
	for _, v := range slices.Backward(s.order) {
		all = append(all, snapshot(v))
	}
	return all
}

// newID is a prefix, which names the kind, and random text.
func newID(prefix string) string {
	return prefix + "_" + strings.ToLower(rand.Text()[:20])
}
