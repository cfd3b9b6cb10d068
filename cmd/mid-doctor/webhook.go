package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/mobid-io/mid-go"
)

// listen waits for one event at a local address and verifies it. It creates a
// session with the callback URL; the session ends when someone decides it, or by
// itself after five minutes.
func (d *doctor) listen(ctx context.Context, s settings, say func(string)) {
	client := d.clients[d.names]
	if !d.has(opCreateAuthSession) {
		d.skip("there is no session", checkEvent)
		return
	}
	c := check{Name: checkEvent, Verdict: failed}
	defer func() { d.add(c) }()
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", s.listen)
	if err != nil {
		c.Text = "the address of -listen can't be listened at"
		return
	}
	deliveries, stop := serve(ctx, client.Webhooks, l)
	defer stop()
	callback := s.callbackURL
	if callback == "" {
		callback = "http://" + l.Addr().String() + "/"
	}
	_, err = client.Authentication.CreateSession(ctx, mid.CreateAuthSessionParams{Intent: mid.IntentLogin, CallbackURL: callback})
	if err != nil {
		c.Text = "no session with a callback URL: " + explain(err)
		return
	}
	say(fmt.Sprintf("waiting up to %v for an event at %s; the session ends by itself in five minutes\n", s.wait, l.Addr()))
	select {
	case delivered := <-deliveries:
		c = judgeEvent(client.Webhooks, delivered)
	case <-time.After(s.wait):
		c.Text = fmt.Sprintf("no event came in %v; does the callback URL lead to the address of -listen?", s.wait)
	case <-ctx.Done():
		c.Text = "no event came before the end"
	}
}

// has reports whether an operation was asked and answered.
func (d *doctor) has(operation string) bool {
	_, ok := d.wire.operation(operation)
	return ok
}

// serve passes on the first delivery that is signed at all. What is not signed
// comes from someone else, and is refused.
func serve(ctx context.Context, webhooks *mid.WebhookService, l net.Listener) (deliveries <-chan delivery, stop func()) {
	first := make(chan delivery, 1)
	server := &http.Server{
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			payload, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxSeen))
			if err != nil || r.Header.Get(mid.SignatureHeader) == "" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			if _, err := webhooks.Parse(payload, r.Header); err != nil {
				w.WriteHeader(http.StatusUnauthorized)
			} else {
				w.WriteHeader(http.StatusNoContent)
			}
			select {
			case first <- delivery{payload, r.Header.Clone()}:
			default: // one is enough
			}
		}),
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l) // until stop closes it
	}()
	return first, func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = server.Shutdown(ending) // lets the answer to the event go
		<-done
	}
}
