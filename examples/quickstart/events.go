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
	wake    chan struct{} // an event has come
	count   atomic.Int64
	server  *http.Server
}

// receive listens on address. The SDK's handler verifies each event's
// signature and age and drops duplicates, so that what is left is what to do.
func receive(client *mid.Client, out *console, address string) (*receiver, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	r := &receiver{address: listener.Addr().String(), wake: make(chan struct{}, 1)}
	r.server = &http.Server{
		ReadTimeout: 10 * time.Second,
		Handler: client.Webhooks.Handler(mid.EventHandlers{
			Other: func(_ context.Context, event *mid.Event) error {
				r.count.Add(1)
				out.event("%s: the signature of %s is good", event.Type, event.ID)
				r.wakeAwait()
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

// wakeAwait never blocks: one wake-up in store is enough.
func (r *receiver) wakeAwait() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// await gives n events the time to come: an event may be a little later than
// the answer that told the same.
func (r *receiver) await(ctx context.Context, n int) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	for r.handled() < n {
		select {
		case <-r.wake:
		case <-ctx.Done():
			return
		}
	}
}

func (r *receiver) handled() int { return int(r.count.Load()) }

// close lets the deliveries under way finish.
func (r *receiver) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if r.server.Shutdown(ctx) != nil {
		_ = r.server.Close() // they took too long
	}
}
