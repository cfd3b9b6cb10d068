package multipart

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

func TestBatonHasOneHolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBaton()
		require.True(t, b.acquire(nil))
		require.False(t, b.tryAcquire())

		next := make(chan bool, 1)
		go func() { next <- b.acquire(nil) }()
		synctest.Wait()
		require.Empty(t, next)
		b.release()
		require.True(t, <-next)
		b.release()
		require.True(t, b.tryAcquire())
	})
}

func TestWaitForTheBatonIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, giveUp := newBaton(), make(chan struct{})
		require.True(t, b.tryAcquire())
		got := make(chan bool, 1)
		go func() { got <- b.acquire(giveUp) }()
		synctest.Wait()
		close(giveUp)
		require.False(t, <-got)
		b.release()
		require.True(t, b.tryAcquire(), "nothing is left behind")
	})
}
