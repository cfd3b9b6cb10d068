package midtest

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func newBodies() journal[string] {
	return journal[string]{strip: func(s *string) { *s += " without body" }}
}

func TestJournalsKeepSoManyEntries(t *testing.T) {
	j := journal[int]{strip: func(*int) {}}
	for i := range maxEntries + 5 {
		j.add(i, 1, 0)
	}
	all := j.all()
	assert.Len(t, all, maxEntries)
	assert.Equal(t, 5, all[0], "the oldest are forgotten")
	assert.Equal(t, maxEntries+4, all[maxEntries-1])
	assert.Equal(t, maxEntries, j.bytes)
}

func TestTheOldestBodiesGoFirst(t *testing.T) {
	const third = maxJournalBytes / 3
	j := newBodies()
	for _, name := range []string{"a", "b", "c"} {
		j.add(name, 10, third-10)
	}
	assert.Equal(t, []string{"a", "b", "c"}, j.all())
	j.add("d", 10, 10)
	assert.Equal(t, []string{"a without body", "b", "c", "d"}, j.all())
	j.add("e", 10, 2*third)
	assert.Equal(t, []string{"a without body", "b without body", "c without body", "d", "e"}, j.all())
	assert.LessOrEqual(t, j.bytes, maxJournalBytes)
}

func TestEntriesGoIfBodiesAreNotEnough(t *testing.T) {
	const half = maxJournalBytes / 2
	j := newBodies()
	j.add("a", half, 10)
	j.add("b", half-10, 10)
	assert.Equal(t, []string{"a without body", "b"}, j.all())
	j.add("c", half, 0)
	assert.Equal(t, []string{"b without body", "c"}, j.all())
	j.add("d", 2*maxJournalBytes, 10)
	assert.Equal(t, []string{"d"}, j.all(), "the newest stays, whatever its size")
	j.add("e", 1, 1)
	assert.Equal(t, []string{"e"}, j.all())
	assert.Equal(t, 2, j.bytes)
}
