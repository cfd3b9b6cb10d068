// Webhooks is a service that receives MID's events and nothing else: it needs a
// webhook secret, but no client credentials.
//
//	MID_WEBHOOK_SECRET=whsec_… go run ./examples/webhooks -listen 127.0.0.1:8080 -events events.jsonl
//
// While the secret is replaced, MID_WEBHOOK_SECRET is the new one and
// MID_WEBHOOK_SECRET_OLD the old one. With -demo a fake MID server delivers a
// few events to it, and it ends.
package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/mobid-io/mid-go"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8080", "the `address` to listen on")
	events := flag.String("events", "events.jsonl", "the `file` that remembers which events were handled")
	demo := flag.Bool("demo", os.Getenv("MID_WEBHOOK_SECRET") == "", "receive a few events of a fake MID server, and end; the default without MID_WEBHOOK_SECRET")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once

	log.SetFlags(0)
	log.SetPrefix("webhooks: ")
	if *demo {
		if err := runDemo(ctx, os.Stdout); err != nil {
			log.Fatal(err)
		}
		return
	}
	secrets := []string{os.Getenv("MID_WEBHOOK_SECRET")}
	if old := os.Getenv("MID_WEBHOOK_SECRET_OLD"); old != "" {
		secrets = append(secrets, old) // of several, any may have signed an event
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	logger := slog.New(slog.NewTextHandler(os.Stdout, nil))
	logger.Info("receiving", slog.String("address", listener.Addr().String()))
	if err := receive(ctx, listener, secrets, *events, logger); err != nil {
		log.Fatal(err)
	}
}

// receive serves until ctx ends, and then lets the deliveries under way finish.
func receive(ctx context.Context, listener net.Listener, secrets []string, events string, logger *slog.Logger) error {
	store, err := openFileStore(events)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer func() { _ = store.Close() }() // every line is on the disk already
	hooks, err := mid.NewWebhookService(mid.WebhookConfig{Secrets: secrets, Store: store, Logger: logger})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	mux := http.NewServeMux()
	mux.Handle("/mid/events", hooks.Handler(handlers(logger)))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	server := &http.Server{
		Handler:      mux,
		ReadTimeout:  10 * time.Second, // the SDK reads a body as slowly as it comes
		WriteTimeout: 90 * time.Second, // longer than a handler's lease
		IdleTimeout:  2 * time.Minute,  // longer than a proxy's, so that it never meets a closed connection
		ErrorLog:     slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	logger.Info("shutting down")
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return server.Shutdown(grace)
}

// handlers say what happens for an event that was verified and is new. After an
// error MID delivers it again. Sessions and verifications log as their id and
// status only, so that no personal data gets here.
func handlers(logger *slog.Logger) mid.EventHandlers {
	return mid.EventHandlers{
		AuthenticationCompleted: func(_ context.Context, _ *mid.Event, session *mid.AuthSession) error {
			// A service with a client calls Authentication.Verify here before
			// it signs anyone in.
			logger.Info("sign-in ended", slog.Any("session", session))
			return nil
		},
		VerificationCompleted: func(_ context.Context, _ *mid.Event, verification *mid.Verification) error {
			logger.Info("verification ended", slog.Any("verification", verification))
			return nil
		},
		SigningCompleted: func(_ context.Context, _ *mid.Event, session *mid.SigningSession) error {
			logger.Info("signing ended", slog.Any("session", session))
			return nil
		},
	}
}
