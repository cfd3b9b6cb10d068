package e2e_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

const (
	abuseClients = 8
	// abuseMemory is what the receiver may take from the system beside what it
	// had at first, in bytes: a body of 1 MiB from each client, as it grows and as
	// garbage, and many slow ones.
	abuseMemory = 128 << 20
	// honestOneIn says how many deliveries of all are MID's own.
	honestOneIn = 10
)

// TestAbuse sends hostile deliveries to a receiver, over real HTTP and in a
// process of its own, with honest ones among them. MID_ABUSE_DELIVERIES is the
// number of a long run.
func TestAbuse(t *testing.T) {
	total := 3000
	if n := fromEnv(t, "MID_ABUSE_DELIVERIES"); n > 0 {
		total = int(n)
	}
	addr := startPart(t, "receiver")
	before := askReceiver(t, addr)
	began := time.Now()
	var all sync.WaitGroup
	clients := make([]*abuser, abuseClients)
	for i := range clients {
		clients[i] = newAbuser(t, addr, uint64(i))
		all.Go(func() { clients[i].send(t.Context(), total/abuseClients) })
	}
	all.Wait()
	took := time.Since(began)
	after := askReceiver(t, addr)

	honest, hostile := map[string]int{}, map[string]map[string]int{}
	for _, c := range clients {
		c.http.CloseIdleConnections()
		for _, e := range c.acknowledged {
			honest[e.id] = 1
		}
		assert.Empty(t, c.lost, "honest deliveries that were not acknowledged")
		assert.Empty(t, c.complaints)
		for attack, outcomes := range c.outcomes {
			if hostile[attack] == nil {
				hostile[attack] = map[string]int{}
			}
			for outcome, n := range outcomes {
				hostile[attack][outcome] += n
			}
		}
	}
	assert.Equal(t, honest, after.Handled, "the honest events, each once, and no other")
	assert.Zero(t, after.Wrong, "events with another's data")
	assert.Less(t, after.Taken, before.Taken+abuseMemory, "what the receiver takes from the system")
	assert.Len(t, hostile, len(attacks), "every attack was made")

	requests := after.Requests - before.Requests
	t.Logf("%d deliveries in %v, %d of them honest, %d reached the handler", total, took.Round(time.Millisecond), len(honest), requests)
	t.Logf("the receiver: %v of CPU and %d bytes allocated for a request; %d KiB of heap before, %d KiB after, %d MiB taken from the system",
		((after.CPU - before.CPU) / time.Duration(requests)).Round(time.Microsecond), (after.Allocated-before.Allocated)/uint64(requests),
		before.Heap>>10, after.Heap>>10, after.Taken>>20)
	for _, a := range attacks {
		t.Logf("%-36s %v", a.name, hostile[a.name])
	}
}

// abuser sends deliveries, one after the other, as MID and as its enemies.
type abuser struct {
	addr   string
	choose *rand.Rand
	http   *http.Client
	sign   *mid.WebhookService // with the receiver's secret
	forge  *mid.WebhookService // with another
	number uint64

	acknowledged []signedEvent             // honest ones
	lost         []string                  // ids of honest ones
	outcomes     map[string]map[string]int // by attack: a status or an error, and how often
	complaints   []string
}

func newAbuser(t *testing.T, addr string, number uint64) *abuser {
	t.Helper()
	service := func(secret string) *mid.WebhookService {
		s, err := mid.NewWebhookService(mid.WebhookConfig{Secrets: []string{secret}})
		require.NoError(t, err)
		return s
	}
	return &abuser{
		addr: addr, number: number, choose: rand.New(rand.NewPCG(9, number)),
		http: &http.Client{Transport: &http.Transport{}, Timeout: time.Minute},
		sign: service(receiverSecret), forge: service("another-webhook-secret"),
		outcomes: map[string]map[string]int{},
	}
}

// send makes n deliveries. Slow ones go on beside the others.
func (c *abuser) send(ctx context.Context, n int) {
	var slow sync.WaitGroup
	defer slow.Wait()
	for i := range n {
		if i%honestOneIn == 0 {
			c.sendHonest(ctx, i)
			continue
		}
		attack := attacks[c.choose.IntN(len(attacks))]
		if i <= 2*len(attacks) { // each is made, in a short run too
			attack = attacks[i%len(attacks)]
		}
		if c.choose.IntN(max(attack.seldom, 1)) > 0 && i > 2*len(attacks) {
			attack = attacks[0]
		}
		if attack.raw != "" {
			c.note(attack, sendRaw(ctx, c.addr, attack.raw))
			continue
		}
		if attack.slow {
			slow.Go(func() { sendSlowly(ctx, c.addr) })
			c.note(attack, outcome{text: "went on"})
			continue
		}
		c.note(attack, c.deliver(ctx, attack.make(c)))
	}
}

// sendHonest does as MID does: it tries five times, signed anew each time.
func (c *abuser) sendHonest(ctx context.Context, i int) {
	e := honestEvent(fmt.Sprintf("%d-%d", c.number, i), i)
	for range 5 {
		e = e.signed(c.sign, time.Now())
		if c.deliver(ctx, e.delivery()).status/100 == 2 {
			c.acknowledged = append(c.acknowledged, e)
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	c.lost = append(c.lost, e.id)
}

// note keeps how an attack ended. A hostile delivery may fail in any way, but a
// success and a status that says something else are complaints.
func (c *abuser) note(a attack, o outcome) {
	if c.outcomes[a.name] == nil {
		c.outcomes[a.name] = map[string]int{}
	}
	c.outcomes[a.name][o.String()]++
	if !a.expects(o.status) {
		c.complaints = append(c.complaints, fmt.Sprintf("%s: %s", a.name, o))
	}
}
