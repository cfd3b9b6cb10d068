package e2e_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go/midtest"
)

// trouble is one thing that goes wrong for a while.
type trouble struct {
	name  string
	often int // beside the others
	begin func(c *chaos, choose *rand.Rand)
}

var troubles = []trouble{
	{"calm", 4, func(_ *chaos, choose *rand.Rand) { linger(choose, 20, 100) }},
	{"latency", 2, toxic("latency", "downstream", `{"latency":30,"jitter":30}`)},
	{"slices", 2, toxic("slicer", "upstream", `{"average_size":4096,"size_variation":2048,"delay":200}`)},
	{"reset of requests", 2, toxic("reset_peer", "upstream", `{"timeout":0}`)},
	{"reset of answers", 2, toxic("reset_peer", "downstream", `{"timeout":5}`)},
	{"silence", 1, toxic("timeout", "downstream", `{"timeout":0}`)},
	{"closed unanswered", 2, toxic("timeout", "downstream", `{"timeout":10}`)},
	{"requests cut", 2, toxic("limit_data", "upstream", `{"bytes":1500}`)},
	{"answers cut", 2, toxic("limit_data", "downstream", `{"bytes":700}`)},
	{"restart", 2, func(c *chaos, choose *rand.Rand) { c.door.restart(c.t, random(choose, 5, 80), choose.IntN(2) == 0) }},
	{"proxy away", 1, func(c *chaos, choose *rand.Rand) {
		c.network.proxy.Stop()
		linger(choose, 5, 50)
		require.NoError(c.t, c.network.proxy.Start())
	}},
	{"5xx", 3, func(c *chaos, choose *rand.Rand) {
		statuses := []int{500, 502, 503, 504, 408}
		c.fail(choose, 20, midtest.Fault{Status: statuses[choose.IntN(len(statuses))]})
	}},
	{"5xx of a proxy", 1, func(c *chaos, choose *rand.Rand) {
		c.fail(choose, 10, midtest.Fault{Status: 502, Body: "<html><h1>Bad Gateway</h1></html>", ContentType: "text/html"})
	}},
	{"4xx", 1, func(c *chaos, choose *rand.Rand) {
		statuses := []int{400, 403, 404, 409, 413}
		c.fail(choose, 3, midtest.Fault{Status: statuses[choose.IntN(len(statuses))]})
	}},
	{"no answer of the API", 1, func(c *chaos, choose *rand.Rand) {
		bodies := []string{"<html>welcome</html>", `{"success":true}`, `{"success":true,"data":{}}`, "null", `{"success":tr`}
		c.fail(choose, 3, midtest.Fault{Status: 200, Body: bodies[choose.IntN(len(bodies))]})
	}},
	{"429", 1, func(c *chaos, choose *rand.Rand) {
		c.fail(choose, 2, midtest.Fault{Status: http.StatusTooManyRequests, RetryAfter: time.Second})
	}},
	{"dropped", 2, func(c *chaos, choose *rand.Rand) { c.fail(choose, 10, midtest.Fault{DropConnection: true}) }},
	{"truncated", 2, func(c *chaos, choose *rand.Rand) { c.fail(choose, 10, midtest.Fault{Truncate: true}) }},
	{"slow server", 2, func(c *chaos, choose *rand.Rand) {
		c.fail(choose, 20, midtest.Fault{Latency: random(choose, 20, 300), Truncate: choose.IntN(4) == 0})
	}},
	{"tokens revoked", 3, func(c *chaos, _ *rand.Rand) { c.network.srv.RevokeTokens() }},
	{"token outage", 2, func(c *chaos, choose *rand.Rand) {
		outages := []midtest.Fault{
			{Status: http.StatusServiceUnavailable},
			{DropConnection: true},
			{Latency: random(choose, 50, 500)},
			{Truncate: true},
			{Status: 200, Body: `{"success":true,"data":{"token_type":"Bearer"}}`},
			{Status: http.StatusTooManyRequests, RetryAfter: time.Second},
		}
		fault := outages[choose.IntN(len(outages))]
		fault.Path = "/auth/token"
		c.fail(choose, 5, fault)
		c.network.srv.RevokeTokens()
	}},
}

// storm makes one trouble after the other until done is closed.
func (c *chaos) storm(done <-chan struct{}) {
	choose := rand.New(rand.NewPCG(c.seed, 0))
	var lots []trouble
	for _, trouble := range troubles {
		for range trouble.often {
			lots = append(lots, trouble)
		}
	}
	for {
		select {
		case <-done:
			return
		case <-time.After(random(choose, 10, 100)):
		}
		trouble := lots[choose.IntN(len(lots))]
		trouble.begin(c, choose)
		c.weather[trouble.name]++
	}
}

// fail has a few of the coming requests fail.
func (c *chaos) fail(choose *rand.Rand, most int, fault midtest.Fault) {
	fault.Times = 1 + choose.IntN(most)
	c.network.srv.Inject(fault)
}

// toxic has part of the connections go bad for a while.
func toxic(kind, direction, attributes string) func(*chaos, *rand.Rand) {
	return func(c *chaos, choose *rand.Rand) {
		c.network.replace(fmt.Sprintf(`{"type":%q,"stream":%q,"toxicity":%.1f,"attributes":%s}`,
			kind, direction, 0.3+0.7*choose.Float64(), attributes))
		linger(choose, 20, 120)
		c.network.replace("")
	}
}

func random(choose *rand.Rand, least, most int) time.Duration {
	return time.Duration(least+choose.IntN(most-least)) * time.Millisecond
}

func linger(choose *rand.Rand, least, most int) { time.Sleep(random(choose, least, most)) }
