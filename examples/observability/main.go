// Observability shows what the SDK tells of itself: OpenTelemetry traces and
// metrics, and log lines that belong to them.
//
//	go run ./examples/observability [-raw]
//
// It signs a user in at a fake MID server whose first answer is a failure, so
// that there is a retry to see. With -raw the telemetry is printed as JSON, by
// the stdout exporters of OpenTelemetry.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("observability", flag.ContinueOnError)
	flags.SetOutput(stderr)
	raw := flags.Bool("raw", false, "print traces, metrics and log as JSON")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	case flags.NArg() > 0:
		_, _ = fmt.Fprintln(stderr, "observability: takes flags alone; see -h")
		return 2
	}
	// The client's own retries get over the 503.
	srv := midtest.NewServer(midtest.WithAutoComplete(400 * time.Millisecond))
	defer srv.Close()
	srv.Inject(midtest.Fault{Method: http.MethodPost, Path: "/auth/sessions", Status: http.StatusServiceUnavailable})

	switch err := demonstrate(ctx, srv, stdout, *raw); {
	case ctx.Err() != nil:
		_, _ = fmt.Fprintln(stderr, "observability: interrupted")
		return 130
	case err != nil:
		_, _ = fmt.Fprintln(stderr, "observability:", err)
		return 1
	}
	return 0
}

func demonstrate(ctx context.Context, srv *midtest.Server, stdout io.Writer, raw bool) error {
	tel, err := newTelemetry(stdout, raw)
	if err != nil {
		return err
	}
	client, err := tel.instrument(srv.ClientID, srv.ClientSecret, mid.WithBaseURL(srv.URL))
	if err == nil {
		err = signIn(ctx, client, tel.tracer, tel.logger)
	}
	// What was gathered is worth printing after a failure, and an interrupt,
	// above all.
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return errors.Join(err, tel.shutdown(last))
}

// signIn is the application. Its span would be that of its own HTTP server,
// if it had one; all that the SDK does for it ends up below.
func signIn(ctx context.Context, client *mid.Client, tracer trace.Tracer, logger *slog.Logger) error {
	ctx, span := tracer.Start(ctx, "sign in")
	defer span.End()

	session, err := call(ctx, tracer, "CreateSession", func(ctx context.Context, opt mid.RequestOption) (*mid.AuthSession, error) {
		return client.Authentication.CreateSession(ctx, mid.CreateAuthSessionParams{
			Intent:    mid.IntentLogin,
			Recipient: "+14155550123",
		}, opt)
	})
	if err != nil {
		return err
	}
	// A session logs as its id and status: the recipient is not among them.
	logger.InfoContext(ctx, "session created", slog.Any("session", session))

	// A wait is as many calls as it takes, so its span is a plain one.
	waitCtx, waiting := tracer.Start(ctx, "mid WaitForSession")
	session, err = client.Authentication.WaitForSession(waitCtx, session.ID, mid.PollOptions{MinInterval: 200 * time.Millisecond})
	waiting.End()
	if err != nil {
		return err
	}
	result, err := call(ctx, tracer, "Verify", func(ctx context.Context, opt mid.RequestOption) (*mid.AuthenticationResult, error) {
		return client.Authentication.Verify(ctx, mid.VerifyAuthenticationParams{SessionID: session.ID}, opt)
	})
	if err != nil {
		return err
	}
	logger.InfoContext(ctx, "sign-in decided", slog.Bool("verified", result.Verified), slog.Any("result", result))
	return nil
}
