// Webhooks is a service that receives MID's events and nothing else: it needs a
// webhook secret, but no client credentials.
//
//	MID_WEBHOOK_SECRET=whsec_… go run ./examples/webhooks -listen 127.0.0.1:8080 -events events.jsonl
//
// While the secret is replaced, MID_WEBHOOK_SECRET is the new one and
// MID_WEBHOOK_SECRET_OLD the old one. Without a secret it runs a demonstration
// against a fake MID server, and ends.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/mobid-io/mid-go"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		os.Exit(2) // the flag package's status; it has told what is wrong
	default:
		fmt.Fprintln(os.Stderr, "webhooks:", err)
		os.Exit(1)
	}
}

// errUsage says that the command line is wrong and that the user was told.
var errUsage = errors.New("wrong usage")

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("webhooks", flag.ContinueOnError)
	flags.SetOutput(stderr)
	listen := flags.String("listen", "127.0.0.1:8080", "the `address` to listen on")
	events := flags.String("events", "events.jsonl", "the `file` that remembers which events were handled")
	demo := flags.Bool("demo", os.Getenv("MID_WEBHOOK_SECRET") == "", "receive a few events of a fake MID server, and end; the default without MID_WEBHOOK_SECRET")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return errUsage
	}
	if flags.NArg() > 0 {
		fmt.Fprintln(stderr, "webhooks: takes flags alone; see -help")
		return errUsage
	}
	if *demo {
		return runDemo(ctx, stdout)
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(stdout, nil))
	log.LogAttrs(ctx, slog.LevelInfo, "receiving", slog.String("address", listener.Addr().String()))
	return receive(ctx, listener, secrets(), *events, log)
}

// receive is the service. It closes the listener.
func receive(ctx context.Context, listener net.Listener, secrets []string, eventsFile string, log *slog.Logger) error {
	defer func() { _ = listener.Close() }() // serve has closed it, if it came to that
	store, err := openFileStore(eventsFile, log)
	if err != nil {
		return err
	}
	hooks, err := mid.NewWebhookService(mid.WebhookConfig{
		Secrets: secrets, // of several, any may have signed an event
		Store:   store,   // nil: events are remembered in memory, which a single process may find enough
		Logger:  log,
	})
	if err == nil {
		err = serve(ctx, listener, newHandler(hooks, log), log)
	}
	return errors.Join(err, store.Close())
}

// secrets are those that events may be signed with at the moment. An empty
// MID_WEBHOOK_SECRET stays in: the SDK refuses to start with it.
func secrets() []string {
	current, old := os.Getenv("MID_WEBHOOK_SECRET"), os.Getenv("MID_WEBHOOK_SECRET_OLD")
	if old == "" {
		return []string{current}
	}
	return []string{current, old}
}
