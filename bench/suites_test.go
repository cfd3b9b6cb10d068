package bench

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/mobid-io/mid-go/bench/server"
)

// inTurn is the order of this round's contestants: another one first each
// time, and every other round backwards, so that none of them always runs in
// the wake of the same neighbour.
func inTurn() []Contestant {
	round, _ := strconv.Atoi(os.Getenv("BENCH_ROUND"))
	first := round * 5 % len(Contestants)
	order := slices.Concat(Contestants[first:], Contestants[:first])
	if round%2 == 1 {
		slices.Reverse(order)
	}
	return order
}

func getOf(c *Contestant) Maker  { return c.Get }
func postOf(c *Contestant) Maker { return c.Post }

// One caller over loopback, every library with its own HTTP client.
func BenchmarkGet(b *testing.B)  { overLoopback(b, getOf, nil, oneCaller) }
func BenchmarkPost(b *testing.B) { overLoopback(b, postOf, nil, oneCaller) }

// Sixteen callers, every library on a transport that keeps all connections, so
// that it is the processor that runs out and not the connections.
func BenchmarkGet16(b *testing.B) { overLoopback(b, getOf, wideTransport, manyCallers) }

// One caller without sockets: only the library and http.Client.
func BenchmarkGetMemory(b *testing.B)  { inMemory(b, getOf) }
func BenchmarkPostMemory(b *testing.B) { inMemory(b, postOf) }

// The answer to Get decoded into the library's type, and nothing else: how much
// of a difference is a difference of the APIs' shapes.
func BenchmarkDecode(b *testing.B) {
	for _, c := range inTurn() {
		if c.Target == nil {
			continue
		}
		b.Run(c.Name, func(b *testing.B) {
			answer := []byte(c.answer())
			oneCaller(b, func(context.Context) error { return json.Unmarshal(answer, c.Target()) })
		})
	}
}

// An event verified and decoded.
func BenchmarkWebhook(b *testing.B) {
	for _, c := range inTurn() {
		if c.Webhook == nil {
			continue
		}
		b.Run(c.Name, func(b *testing.B) {
			op, err := c.Webhook()
			if err != nil {
				b.Fatal(err)
			}
			oneCaller(b, op)
		})
	}
}

// Only the server and the round trip: ready-made bytes over a bare connection.
func BenchmarkServer(b *testing.B) {
	b.Run("tcp", func(b *testing.B) {
		answer := pad(widgetAnswer, AnswerSize)
		srv, err := server.Start(answer, answer)
		if err != nil {
			b.Fatal(err)
		}
		defer srv.Close()
		conn, err := net.Dial("tcp", srv.Addr())
		if err != nil {
			b.Fatal(err)
		}
		defer conn.Close()
		request := []byte("GET " + widgetPath(http.MethodGet) + " HTTP/1.1\r\nHost: " + srv.Addr() +
			"\r\nUser-Agent: Go-http-client/1.1\r\nAccept: application/json\r\nAuthorization: Bearer " + token +
			"\r\nAccept-Encoding: gzip\r\n\r\n")
		buf := make([]byte, len(server.Answer(answer)))
		oneCaller(b, func(context.Context) error {
			if _, err := conn.Write(request); err != nil {
				return err
			}
			_, err := io.ReadFull(conn, buf)
			return err
		})
	})
}

func overLoopback(b *testing.B, pick func(*Contestant) Maker, transport func() http.RoundTripper, run func(*testing.B, Op)) {
	for _, c := range inTurn() {
		maker := pick(&c)
		if maker == nil {
			continue
		}
		b.Run(c.Name, func(b *testing.B) {
			srv, err := server.Start(c.answer(), c.postAnswer())
			if err != nil {
				b.Fatal(err)
			}
			defer srv.Close()
			env := Env{BaseURL: srv.URL}
			if transport != nil {
				env.Transport = transport()
			}
			op, err := maker(env)
			if err != nil {
				b.Fatal(err)
			}
			run(b, op)
		})
	}
}

func inMemory(b *testing.B, pick func(*Contestant) Maker) {
	for _, c := range inTurn() {
		maker := pick(&c)
		if maker == nil {
			continue
		}
		b.Run(c.Name, func(b *testing.B) {
			op, err := maker(Env{BaseURL: nowhere, Transport: newMemory(&c)})
			if err != nil {
				b.Fatal(err)
			}
			oneCaller(b, op)
		})
	}
}

func wideTransport() http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 256, 256
	return t
}

// oneCaller measures op after a first call, which opens the connection and
// fetches the token.
func oneCaller(b *testing.B, op Op) {
	b.Helper()
	ctx := context.Background()
	if err := op(ctx); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	before := processTime()
	for b.Loop() {
		if err := op(ctx); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(processTime()-before)/float64(b.N), "cpu-ns/op")
}

func manyCallers(b *testing.B, op Op) {
	b.Helper()
	const callers = 16
	if err := together(callers, 20, op); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.SetParallelism(max(callers/runtime.GOMAXPROCS(0), 1))
	before := processTime()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := op(context.Background()); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.StopTimer()
	b.ReportMetric(float64(processTime()-before)/float64(b.N), "cpu-ns/op")
}

// together has a number of callers make a number of calls each.
func together(callers, calls int, op Op) error {
	errs := make([]error, callers)
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			for n := 0; n < calls && errs[i] == nil; n++ {
				errs[i] = op(context.Background())
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
