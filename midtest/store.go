package midtest

import (
	"math/rand/v2"
	"slices"
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

// newID is a prefix, which names the kind, and 100 random bits. They are not
// crypto/rand's: in the strict mode of FIPS 140 that measures the time, which
// stands still in a bubble of testing/synctest. What is in a fake needs no
// better.
func newID(prefix string) string {
	const alphabet = "abcdefghijklmnopqrstuvwxyz234567"
	id := make([]byte, 20)
	for i := range id {
		id[i] = alphabet[rand.IntN(len(alphabet))]
	}
	return prefix + "_" + string(id)
}
