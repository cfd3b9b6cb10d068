package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/mobid-io/mid-go/bench/server"
)

var showRequests = flag.Bool("requests", false, "print every contestant's requests as they go over the wire")

// TestContestants makes every call that the suites make.
func TestContestants(t *testing.T) {
	names := map[string]bool{}
	for _, c := range Contestants {
		if names[c.Name] || strings.Contains(c.Name, " ") {
			t.Errorf("the name %q is taken or has a space", c.Name)
		}
		names[c.Name] = true
		t.Run(c.Name, func(t *testing.T) {
			checkCalls(t, &c, http.MethodGet, c.Get)
			checkCalls(t, &c, http.MethodPost, c.Post)
			if c.Target != nil {
				if err := json.Unmarshal([]byte(c.answer()), c.Target()); err != nil {
					t.Errorf("decoding: %v", err)
				}
			}
			if c.Webhook != nil {
				op, err := c.Webhook()
				if err != nil {
					t.Fatal(err)
				}
				repeat(t, op, 3)
			}
		})
	}
	if !names[Floor] {
		t.Errorf("no contestant is called %q", Floor)
	}
}

// checkCalls makes the calls on the wire, where they must share a connection,
// and in memory.
func checkCalls(t *testing.T, c *Contestant, method string, maker Maker) {
	t.Helper()
	if maker == nil {
		return
	}
	srv, op := serve(t, c, maker)
	srv.Record()
	repeat(t, op, 5)
	if n := srv.Accepted(); n != 1 {
		t.Errorf("5 calls in turn opened %d connections", n)
	}
	request := srv.Recorded()
	head, body, _ := bytes.Cut(request, []byte("\r\n\r\n"))
	if !bytes.HasPrefix(head, []byte(method+" ")) || !bytes.Contains(head, []byte(token)) {
		t.Errorf("the request is no %s with a token:\n%s", method, head)
	}
	fmt.Printf("# wire %s %s %d %d %d\n", c.Name, method, len(head)+4, bytes.Count(head, []byte("\n")), len(body))
	if *showRequests {
		fmt.Printf("%s\n\n", request)
	}
	op, err := maker(Env{BaseURL: nowhere, Transport: newMemory(c)})
	if err != nil {
		t.Fatal(err)
	}
	repeat(t, op, 1)
}

// serve starts a server for one contestant, with its own HTTP client.
func serve(t *testing.T, c *Contestant, maker Maker) (*server.Server, Op) {
	t.Helper()
	srv, err := server.Start(c.answer(), c.postAnswer())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(srv.Close)
	op, err := maker(Env{BaseURL: srv.URL})
	if err != nil {
		t.Fatal(err)
	}
	return srv, op
}

func repeat(t *testing.T, op Op, times int) {
	t.Helper()
	for range times {
		if err := op(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestConnections counts the connections of 16 callers who make 100 calls each,
// every library with its own HTTP client. With HTTP/1.1 each caller needs one.
//
// How they start matters: net/http goes on dialling for a caller who has got
// another's connection meanwhile, so that a fast server sees a few more in a
// ragged start. It is counted both ways, and held to the even one.
func TestConnections(t *testing.T) {
	const callers, calls = 16, 100
	for _, c := range Contestants {
		if c.Get == nil {
			continue
		}
		count := func(even bool) int {
			srv, op := serve(t, &c, c.Get)
			if even {
				srv.Hold(callers)
			}
			if err := together(callers, calls, op); err != nil {
				t.Errorf("%s: %v", c.Name, err)
			}
			return srv.Accepted()
		}
		even, ragged := count(true), count(false)
		if c.Name == "mid" && even != callers {
			t.Errorf("%d callers opened %d connections", callers, even)
		}
		fmt.Printf("# connections %s %d %d %d\n", c.Name, callers*calls, even, ragged)
	}
}

// TestAllocations holds the SDK to a number of allocations per call, to fewer
// than the fair floor's in every suite, and to the same number however many
// goroutines call.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates too")
	}
	var b strings.Builder
	b.WriteString("\n| suite | mid | fair floor | limit |\n| --- | ---: | ---: | ---: |\n")
	for _, suite := range []struct {
		name string
		op   func(*Contestant) Op
		most float64
	}{
		{"GET over loopback", func(c *Contestant) Op { _, op := serve(t, c, c.Get); return op }, 98},
		{"POST over loopback", func(c *Contestant) Op { _, op := serve(t, c, c.Post); return op }, 112},
		{"GET in memory", func(c *Contestant) Op { return remembered(t, c, c.Get) }, 42},
		{"POST in memory", func(c *Contestant) Op { return remembered(t, c, c.Post) }, 53},
		{"webhook", func(c *Contestant) Op {
			op, err := c.Webhook()
			if err != nil {
				t.Fatal(err)
			}
			return op
		}, 25},
	} {
		got, fair := fewest(t, suite.op(&midContestant)), fewest(t, suite.op(&assembledContestant))
		fmt.Fprintf(&b, "| %s | %.1f | %.1f | %.0f |\n", suite.name, got, fair, suite.most)
		if got > suite.most+0.5 || got >= fair {
			t.Errorf("%s: %.1f allocations, want at most %.0f and fewer than %.1f", suite.name, got, suite.most, fair)
		}
	}
	with, without := fewest(t, remembered(t, &midResponseContestant, midResponseContestant.Get)), fewest(t, remembered(t, &midContestant, midContestant.Get))
	fmt.Fprintf(&b, "| GET in memory, with WithResponse | %.1f | | %.1f |\n", with, 1.1*without)
	if with > 1.1*without {
		t.Errorf("a GET takes %.1f allocations with WithResponse and %.1f without", with, without)
	}
	t.Log(b.String())

	op := remembered(t, &midContestant, midContestant.Get)
	alone := allocations(t, 1, 6400, op)
	for _, callers := range []int{1, 8, 64} {
		got := allocations(t, callers, 6400/callers, op)
		t.Logf("in memory, %2d goroutines: %6.2f allocations", callers, got)
		if got > alone+0.5 {
			t.Errorf("%d goroutines: %.2f allocations a call, one alone %.2f", callers, got, alone)
		}
	}
}

// remembered is a contestant's call in memory.
func remembered(t *testing.T, c *Contestant, maker Maker) Op {
	t.Helper()
	op, err := maker(Env{BaseURL: nowhere, Transport: newMemory(c)})
	if err != nil {
		t.Fatal(err)
	}
	return op
}

// fewest is the smallest of some means. Package net/http allocates a timer more
// where an answer comes before its request was seen off, which is chance.
func fewest(t *testing.T, op Op) float64 {
	t.Helper()
	least := allocations(t, 1, 200, op)
	for range 4 {
		least = min(least, allocations(t, 1, 200, op))
	}
	return least
}

// allocations is the mean number of allocations of a call, on both sides of
// the connection.
func allocations(t *testing.T, callers, calls int, op Op) float64 {
	t.Helper()
	if err := together(callers, 20, op); err != nil { // what is allocated once
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := together(callers, calls, op)
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	return float64(after.Mallocs-before.Mallocs) / float64(callers*calls)
}
