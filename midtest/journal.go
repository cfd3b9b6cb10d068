package midtest

const (
	maxEntries      = 10_000
	maxJournalBytes = 32 << 20
)

// journal keeps the latest entries of a log, so that a server that runs for
// weeks does not grow by its logs. Over its bound of memory, the oldest entries
// first lose their bodies, and then go.
type journal[T any] struct {
	strip   func(*T) // takes the body out of an entry
	entries []entry[T]
	bytes   int
	bare    int // of the oldest entries, how many have lost their bodies
}

// entry is what was logged, with the sizes of its body and of the rest in
// bytes.
type entry[T any] struct {
	value      T
	rest, body int
}

func (j *journal[T]) add(value T, rest, body int) {
	j.entries = append(j.entries, entry[T]{value, rest, body})
	j.bytes += rest + body
	newest := len(j.entries) - 1
	for j.bytes > maxJournalBytes && j.bare < newest {
		e := &j.entries[j.bare]
		j.strip(&e.value)
		j.bytes -= e.body
		e.body = 0
		j.bare++
	}
	for len(j.entries) > maxEntries || j.bytes > maxJournalBytes && len(j.entries) > 1 {
		j.forgetOldest()
	}
}

func (j *journal[T]) forgetOldest() {
	oldest := &j.entries[0]
	j.bytes -= oldest.rest + oldest.body
	*oldest = entry[T]{} // the slice's array lives on for a while
	j.entries = j.entries[1:]
	j.bare = max(j.bare-1, 0)
}

// all returns the entries, the oldest first.
func (j *journal[T]) all() []T {
	all := make([]T, len(j.entries))
	for i := range j.entries {
		all[i] = j.entries[i].value
	}
	return all
}
