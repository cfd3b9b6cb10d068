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
	var queued []*tokenTurn
	offered, lent, kept, left := 0, 0, 0, 0
	for range 2_000 {
		switch random.IntN(5) {
		case 0, 1:
			call := new(Call)
			require.True(t, p.offer(call))
			offering = append(offering, call)
			offered++
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
		case 3:
			if turn := p.borrow(func() { left++ }); turn != nil {
				require.Empty(t, p.idle, "a token request queues while a place is on offer")
				queued = append(queued, turn)
			} else {
				lent++
			}
		default:
			if len(queued) == 0 {
				continue
			}
			i := random.IntN(len(queued))
			turn := queued[i]
			queued = append(queued[:i], queued[i+1:]...)
			if p.end(turn) {
				lent++
				left--
			}
		}
		require.Equal(t, offered, kept+lent+left+len(p.idle))
		require.Len(t, offering, len(p.idle)+len(p.without))
		require.Len(t, queued, len(p.queued)+left)
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
	leave := func() {}
	p.offer(first)
	require.Nil(t, p.borrow(leave))
	p.offer(second)
	p.offer(third)
	require.False(t, p.withdraw(third))
	require.True(t, p.withdraw(first))
	require.True(t, p.withdraw(second))

	p.offer(first)
	p.offer(second)
	require.Nil(t, p.borrow(leave))
	require.False(t, p.withdraw(second))
	require.True(t, p.withdraw(first))

	// One that waits again gets the place of an ordinary one that comes first.
	p.Lanes = true
	second.ahead = true
	p.wait(1)
	require.False(t, p.offer(third))
	require.True(t, p.offer(second))
	require.True(t, p.withdraw(second))
	p.wait(-1)
	require.True(t, p.offer(third))
}

// The first call that gets a place lends it to the first token request that waits.
func TestTokenRequestInTheQueueTakesTheNextPlace(t *testing.T) {
	p, call, next := new(Places), new(Call), new(Call)
	left := ""
	first := p.borrow(func() { left += "first " })
	second := p.borrow(func() { left += "second " })
	p.offer(call)
	require.Equal(t, "first ", left)
	require.True(t, p.end(first))
	require.False(t, p.withdraw(call))
	require.False(t, p.end(second), "its own place came")
	p.offer(next)
	require.Equal(t, "first ", left)
	require.True(t, p.withdraw(next))
}
