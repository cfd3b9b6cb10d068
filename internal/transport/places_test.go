package transport

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// However calls and token requests come and go, each place is one party's.
func TestPlacesAreNeitherLostNorDoubled(t *testing.T) {
	p := new(Places)
	random := rand.New(rand.NewPCG(1, 2))
	var offering []*Call
	offered, lent, kept, waiting := 0, 0, 0, 0
	for range 2_000 {
		switch random.IntN(4) {
		case 0, 1:
			if call := new(Call); p.offer(call) {
				require.Zero(t, waiting, "a place is kept while a token request waits for one")
				offering = append(offering, call)
				offered++
			} else {
				require.Positive(t, waiting)
			}
		case 2:
			if len(offering) == 0 {
				continue
			}
			i := random.IntN(len(offering))
			call := offering[i]
			offering = append(offering[:i], offering[i+1:]...)
			if p.withdraw(call) {
				kept++
			}
		default:
			if p.borrow() {
				lent++
			} else if waiting++; random.IntN(2) == 0 {
				for ; waiting > 0; waiting-- {
					p.served()
				}
			}
		}
		require.Equal(t, offered, kept+lent+len(p.idle))
		require.Len(t, offering, len(p.idle)+len(p.without))
		for i, call := range p.idle {
			if call.place != i {
				t.Fatalf("the call at %d takes itself to be at %d", i, call.place)
			}
		}
	}
	require.Positive(t, kept)
	require.Positive(t, lent)
}

// The latest call goes without: one that had its turn earlier keeps its place,
// or gets the place of one that comes after it.
func TestTheLatestCallGoesWithout(t *testing.T) {
	p, first, second, third := new(Places), new(Call), new(Call), new(Call)
	require.True(t, p.offer(first))
	require.True(t, p.borrow())
	require.True(t, p.offer(second))
	require.True(t, p.offer(third))
	require.False(t, p.withdraw(third))
	require.True(t, p.withdraw(first))
	require.True(t, p.withdraw(second))

	require.True(t, p.offer(first))
	require.True(t, p.offer(second))
	require.True(t, p.borrow())
	require.False(t, p.withdraw(second))
	require.True(t, p.withdraw(first))
	require.False(t, p.borrow())
	require.False(t, p.offer(third), "a token request is waiting")
	p.served()
	require.True(t, p.offer(third))
	require.True(t, p.withdraw(third))

	// One that waits again gets the place of an ordinary one that comes first.
	second.ahead = true
	p.wait(1)
	require.False(t, p.offer(third))
	require.True(t, p.offer(second))
	require.True(t, p.withdraw(second))
	p.wait(-1)
	require.True(t, p.offer(third))
}
