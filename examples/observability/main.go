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

	"go.opentelemetry.io/otel"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midotel"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := demo(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "observability:", err)
		os.Exit(1)
	}
}

// newClient returns a client that is traced, measured and logged.
func newClient(clientID, clientSecret, baseURL string, logger *slog.Logger) (*mid.Client, error) {
	telemetry, err := midotel.New(midotel.Config{}) // the global providers
	if err != nil {
		return nil, err
	}
	return mid.NewClient(clientID, clientSecret, append(telemetry.ClientOptions(),
		mid.WithBaseURL(baseURL), mid.WithLogger(logger))...)
}

// signIn is the application. Its span would be that of its own HTTP server,
// if it had one; all that the SDK does for it ends up below.
func signIn(ctx context.Context, client *mid.Client, logger *slog.Logger) error {
	ctx, span := otel.Tracer("shop").Start(ctx, "sign in")
	defer span.End()

	session, err := client.Authentication.CreateSession(ctx, mid.CreateAuthSessionParams{
		Intent:    mid.IntentLogin,
		Recipient: "+14155550123",
	})
	if err != nil {
		return err
	}
	// A session logs as its id and status: the recipient is not among them.
	logger.InfoContext(ctx, "session created", slog.Any("session", session))
	session, err = client.Authentication.WaitForSession(ctx, session.ID, mid.PollOptions{MinInterval: 200 * time.Millisecond})
	if err != nil {
		return err
	}
	result, err := client.Authentication.Verify(ctx, mid.VerifyAuthenticationParams{SessionID: session.ID})
	if err != nil {
		return err
	}
	logger.InfoContext(ctx, "sign-in decided", slog.Bool("verified", result.Verified), slog.Any("result", result))
	return nil
}
