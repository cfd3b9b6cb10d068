package midweb

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

func TestOnceHere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, store := t.Context(), &onceHere{}
		lapsed, err := store.Claim(ctx, "id", time.Minute)
		require.NoError(t, err)
		_, err = store.Claim(ctx, "id", time.Minute)
		require.ErrorIs(t, err, mid.ErrEventInHand)
		time.Sleep(time.Minute + 1)
		claim, err := store.Claim(ctx, "id", time.Minute)
		require.NoError(t, err, "after the lease")
		require.ErrorIs(t, lapsed.Done(ctx), mid.ErrClaimLost)
		require.NoError(t, lapsed.Release(ctx), "which leaves the other's claim")
		_, err = store.Claim(ctx, "id", time.Minute)
		require.ErrorIs(t, err, mid.ErrEventInHand)
		require.NoError(t, claim.Release(ctx))
		claim, err = store.Claim(ctx, "id", time.Minute)
		require.NoError(t, err)
		require.NoError(t, claim.Done(ctx))
		require.NoError(t, claim.Release(ctx))
		time.Sleep(maxLife)
		_, err = store.Claim(ctx, "id", time.Minute)
		require.ErrorIs(t, err, mid.ErrEventHandled, "as long as the cookie may come")

		for i := range 1000 {
			time.Sleep(time.Second)
			_, err := store.Claim(ctx, strconv.Itoa(i), time.Minute)
			require.NoError(t, err)
		}
		assert.Less(t, len(store.byID), 100)
	})
}
