// Observability shows the traces, metrics and log lines of the SDK, with
// OpenTelemetry:
//
//	go run ./examples/observability
//
// A user signs in at a fake MID server whose first answer is a failure, so that
// there is a retry to see.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/mobid-io/mid-go"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := demo(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "observability:", err)
		os.Exit(1)
	}
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
