package transport

import (
	"context"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

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
		switch random.IntN(6) {
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
			if turn := p.borrow(t.Context(), func() { left++ }); turn != nil {
				require.Empty(t, p.idle, "a token request queues while a place is on offer")
				queued = append(queued, turn)
			} else {
				lent++
			}
		case 4:
			p.lend()
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
	now := time.Now()
	third.placed = now
	p.offer(first)
	require.Nil(t, p.borrow(t.Context(), leave))
	p.offer(second)
	p.offer(third)
	require.False(t, p.withdraw(third))
	require.True(t, p.withdraw(first))
	require.True(t, p.withdraw(second))
	require.Equal(t, now, second.placed, "the place is as old as it was")

	p.offer(first)
	p.offer(second)
	p.offer(third)
	require.True(t, p.withdraw(first))
	require.Nil(t, p.borrow(t.Context(), leave))
	require.False(t, p.withdraw(third))
	require.True(t, p.withdraw(second))

	// One that waits again keeps its order, and gets the place of an ordinary one that
	// comes first.
	p.offer(second)
	require.True(t, p.withdraw(second))
	p.offer(third)
	second.ahead = true
	p.offer(second)
	require.Nil(t, p.borrow(t.Context(), leave))
	require.False(t, p.withdraw(third))
	require.True(t, p.withdraw(second))
	p.Lanes = true
	p.wait(1)
	require.False(t, p.offer(third))
	require.True(t, p.offer(second))
	require.True(t, p.withdraw(second))
	p.wait(-1)
	require.True(t, p.offer(third))
}

// A token request in the queue takes a place that is on offer for long: the call needs
// the token. It takes no place for a token request that has ended.
func TestTokenRequestInTheQueueTakesAPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, good, needy, next := new(Places), new(Call), new(Call), new(Call)
		left := ""
		ended, end := context.WithCancel(t.Context())
		gone := p.borrow(ended, func() { left += "gone " })
		first := p.borrow(t.Context(), func() { left += "first " })
		second := p.borrow(t.Context(), func() { left += "second " })
		end()
		good.placed, needy.placed, next.placed = time.Now(), time.Now(), time.Now().Add(1)
		p.offer(good)
		p.offer(needy)
		require.True(t, p.withdraw(good))
		time.Sleep(1)
		p.offer(next)
		time.Sleep(lendAfter - 1)
		synctest.Wait()
		require.Equal(t, "gone first ", left)
		require.True(t, p.end(first))
		require.False(t, p.end(gone))
		require.False(t, p.end(second), "its own place came")
		require.False(t, p.withdraw(needy))
		time.Sleep(time.Second)
		require.Equal(t, "gone first ", left)
		require.True(t, p.withdraw(next))
	})
}
