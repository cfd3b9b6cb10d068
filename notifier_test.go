package mid

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

func woken(wake <-chan struct{}) bool {
	select {
	case <-wake:
		return true
	default:
		return false
	}
}

func TestMemoryNotifier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNotifier().(*memoryNotifier)
		ctx, cancel := context.WithCancel(t.Context())
		require.NoError(t, n.Notify(ctx, "a"))
		first, second, other := n.Subscribe(ctx, "a"), n.Subscribe(t.Context(), "a"), n.Subscribe(t.Context(), "b")
		require.False(t, woken(first), "what came before the subscription is not for it")
		for range 3 { // and never blocks
			require.NoError(t, n.Notify(ctx, "a"))
		}
		require.True(t, woken(first))
		require.True(t, woken(second))
		require.False(t, woken(first), "several may be received as one")
		require.False(t, woken(other))

		cancel()
		synctest.Wait()
		require.NoError(t, n.Notify(t.Context(), "a"))
		require.False(t, woken(first))
		require.True(t, woken(second))
	})
}

// Subscriptions leave nothing behind when their ctx ends. The bubble would
// report a goroutine that is left.
func TestMemoryNotifierForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNotifier().(*memoryNotifier)
		ctx, cancel := context.WithCancel(t.Context())
		for range 100 {
			n.Subscribe(ctx, "a")
			n.Subscribe(ctx, "b")
		}
		cancel()
		synctest.Wait()
		require.Empty(t, n.subscriptions)
		n.Subscribe(ctx, "a") // ends at once
		synctest.Wait()
		require.Empty(t, n.subscriptions)
	})
}
