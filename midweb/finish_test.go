package midweb

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

// approvedFlow has a browser whose code has just been approved.
func (w *world) approvedFlow() *visitor {
	v := w.visitor()
	require.NoError(w.t, w.Approve(v.start(), "user_ada_marsh"))
	time.Sleep(3 * time.Second)
	return v
}

// Processes that share a store give an approval away once among them, also to
// requests that come at the same moment.
func TestOnceInAFleet(t *testing.T) {
	store := &onceHere{}
	shared := func(c *Config) { c.Store = store }
	inWorld(t, shared, func(t *testing.T, w *world) {
		v := w.approvedFlow()
		other := w.process(shared)
		defer other.Close()
		var all sync.WaitGroup
		var mu sync.Mutex
		gone := 0
		for i := range 20 {
			thief := v.copy()
			if i%2 == 0 {
				thief.site = other
			}
			all.Go(func() {
				p := thief.get("finish")
				for p.status == http.StatusOK && p.state() == approved { // another has it in hand
					time.Sleep(time.Second)
					p = thief.get("finish")
				}
				mu.Lock()
				defer mu.Unlock()
				gone++
				assert.Equal(t, "/", p.location)
			})
		}
		all.Wait()
		assert.Equal(t, 20, gone)
		assert.Equal(t, []string{"user_ada_marsh"}, w.in)
		assert.Equal(t, 1, w.count(http.MethodPost, "/auth/verify"))
	})
}

// While a process that died holds the claim, the page waits, and then goes on.
func TestClaimOfADeadProcess(t *testing.T) {
	store := &onceHere{}
	inWorld(t, func(c *Config) { c.Store = store }, func(t *testing.T, w *world) {
		v := w.approvedFlow()
		_, err := store.Claim(t.Context(), "midweb "+w.AuthSessions()[0].ID, lease)
		require.NoError(t, err)
		p := v.get("finish")
		assert.Equal(t, approved, p.state())
		p.find(t, `(http-equiv="refresh" content="3;url=finish")`)
		time.Sleep(lease + time.Second)
		assert.Equal(t, "/", v.get("finish").location)
		assert.Equal(t, []string{"user_ada_marsh"}, w.in)
	})
}

// A verification that fails leaves the approval to the next try.
func TestFailedFinishIsReleased(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		v := w.approvedFlow()
		w.Inject(midtest.Fault{Path: "/auth/verify", Status: http.StatusForbidden})
		assert.Equal(t, failed, v.get("finish").state())
		assert.Equal(t, "/", v.get("finish").location)
		assert.Equal(t, []string{"user_ada_marsh"}, w.in)
	})
}

// brokenStore fails where a test wants it to.
type brokenStore struct {
	onceHere
	claim, context, done error
}

type brokenClaim struct {
	mid.EventClaim
	*brokenStore
}

func (b *brokenStore) Claim(ctx context.Context, id string, lease time.Duration) (mid.EventClaim, error) {
	if b.claim != nil {
		return nil, b.claim
	}
	c, err := b.onceHere.Claim(ctx, id, lease)
	return brokenClaim{c, b}, err
}

func (c brokenClaim) Context(ctx context.Context) (context.Context, error) { return ctx, c.context }

func (c brokenClaim) Done(ctx context.Context) error {
	return errors.Join(c.done, c.EventClaim.Done(ctx))
}

// A store that fails signs no one in.
func TestBrokenStore(t *testing.T) {
	broken := errors.New("the store is away")
	for name, store := range map[string]*brokenStore{
		"claim":   {claim: broken},
		"context": {context: broken},
		"done":    {done: broken},
	} {
		inWorld(t, func(c *Config) { c.Store = store }, func(t *testing.T, w *world) {
			v := w.approvedFlow()
			assert.Equal(t, failed, v.get("finish").state(), name)
			assert.Empty(t, w.in, name)
		})
	}
}
