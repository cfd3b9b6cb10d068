package e2e_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

// badNetwork is toxiproxy between a client and a fake server.
type badNetwork struct {
	t      *testing.T
	srv    *midtest.Server
	server *toxiproxy.ApiServer // of the proxy; it listens nowhere
	proxy  *toxiproxy.Proxy
}

// newBadNetwork starts both. When the test has ended, nothing that it started
// may run on.
func newBadNetwork(t *testing.T, opts ...midtest.Option) *badNetwork {
	t.Helper()
	before := append(foreignLeaks(), goleak.IgnoreCurrent())
	t.Cleanup(func() { assertNoLeak(t, before) })
	n := &badNetwork{t: t, srv: newMID(t, opts...)}
	n.server = toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	zerolog.SetGlobalLevel(zerolog.Disabled) // its toxics have a logger of their own
	n.proxy = toxiproxy.NewProxy(n.server, "mid", "127.0.0.1:0", hostOf(n.srv))
	require.NoError(t, n.proxy.Start())
	t.Cleanup(func() {
		n.heal()
		n.proxy.Stop()
	})
	return n
}

func (n *badNetwork) client(opts ...mid.Option) *mid.Client {
	return clientAt(n.srv, "http://"+n.proxy.Listen+"/v1", append([]mid.Option{quickRetries(3)}, opts...)...)
}

// add makes the network bad. Direction is upstream, what the client sends, or
// downstream, what it receives; attributes are toxiproxy's, in JSON.
func (n *badNetwork) add(kind, direction, attributes string) {
	n.t.Helper()
	_, err := n.proxy.Toxics.AddToxicJson(strings.NewReader(fmt.Sprintf(
		`{"type":%q,"stream":%q,"attributes":%s}`, kind, direction, attributes)))
	require.NoError(n.t, err)
}

// replace breaks all connections, and has those that follow be as toxic says, in
// toxiproxy's JSON; empty: good. Toxiproxy may hang for ever when toxics change
// under connections that break at that moment, which this avoids.
func (n *badNetwork) replace(toxic string) {
	n.t.Helper()
	n.proxy.Stop()
	next := toxiproxy.NewProxy(n.server, "mid", n.proxy.Listen, n.proxy.Upstream)
	if toxic != "" {
		_, err := next.Toxics.AddToxicJson(strings.NewReader(toxic))
		require.NoError(n.t, err)
	}
	require.Eventually(n.t, func() bool { return next.Start() == nil }, 20*time.Second, 5*time.Millisecond, "the address is free again")
	n.proxy = next
}

// heal makes the network good again.
func (n *badNetwork) heal() { n.proxy.Toxics.ResetToxics(n.t.Context()) }

// assertNoLeak has patience: on a loaded machine, connections take a while to
// notice that they are closed.
func assertNoLeak(t *testing.T, ignored []goleak.Option) {
	t.Helper()
	err := goleak.Find(ignored...)
	for deadline := time.Now().Add(20 * time.Second); err != nil && time.Now().Before(deadline); {
		err = goleak.Find(ignored...)
	}
	assert.NoError(t, err)
}
