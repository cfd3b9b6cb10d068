package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/mobid-io/mid-go"
)

// receiver takes MID's webhook events.
type receiver struct {
	address string
	news    chan struct{} // holds one token when an event has arrived
	count   atomic.Int64
	server  *http.Server
}

// receive listens on address. The SDK's handler verifies the signature and the
// age of each event and drops duplicates.
func receive(client *mid.Client, out *console, address string) (*receiver, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	r := &receiver{address: listener.Addr().String(), news: make(chan struct{}, 1)}
	r.server = &http.Server{
		ReadTimeout: 10 * time.Second,
		Handler: client.Webhooks.Handler(mid.EventHandlers{
			Other: func(_ context.Context, event *mid.Event) error {
				r.count.Add(1)
				out.event("%s: the signature of %s is good", event.Type, event.ID)
				select {
				case r.news <- struct{}{}:
				default: // await counts the events by itself
				}
				return nil
			},
		}),
	}
	go func() {
		if err := r.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			out.failure("No more events are received: %v", err)
		}
	}()
	return r, nil
}

// await gives n events the time to arrive: an event may be a little later than
// the answer with the same news.
func (r *receiver) await(ctx context.Context, n int) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	for r.handled() < n {
		select {
		case <-r.news:
		case <-ctx.Done():
			return
		}
	}
}

func (r *receiver) handled() int { return int(r.count.Load()) }

// close waits a moment for the deliveries under way.
func (r *receiver) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if r.server.Shutdown(ctx) != nil {
		_ = r.server.Close() // they took too long
	}
}
