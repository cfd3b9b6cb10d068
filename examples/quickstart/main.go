// Quickstart shows the whole SDK in one run. A user signs in on the phone, an
// identity is verified from documents, and two people sign an agreement. MID
// reports each of these by webhook.
//
//	go run ./examples/quickstart
//
// It starts a fake MID server of its own and plays the people. With
// MID_CLIENT_ID and MID_CLIENT_SECRET in the environment it talks to MID
// instead, at MID_BASE_URL, and waits for real people.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/mobid-io/mid-go"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) > 1 {
		fmt.Fprintln(os.Stderr, "quickstart: takes no arguments; MID_CLIENT_ID, MID_CLIENT_SECRET and MID_BASE_URL in the environment choose a real account.")
		os.Exit(2)
	}
	err := run(ctx, os.Stdout)
	switch {
	case ctx.Err() != nil:
		fmt.Fprintln(os.Stderr, "\nquickstart: interrupted")
		os.Exit(130) // what shells expect of a program that Ctrl-C ended
	case err != nil:
		fmt.Fprintln(os.Stderr, "\nquickstart:", err)
		if advice := adviceFor(err); advice != "" {
			fmt.Fprintln(os.Stderr, advice)
		}
		os.Exit(1)
	}
}

// run is the story.
func run(ctx context.Context, stdout io.Writer) error {
	a, err := connect(newConsole(stdout))
	if err != nil {
		return err
	}
	defer a.close()

	if err := a.signIn(ctx); err != nil {
		return fmt.Errorf("signing in: %w", err)
	}
	if err := a.verifyIdentity(ctx); err != nil {
		return fmt.Errorf("verifying the identity: %w", err)
	}
	if err := a.signAgreement(ctx); err != nil {
		return fmt.Errorf("having the agreement signed: %w", err)
	}
	a.sumUp(ctx)
	return nil
}

// adviceFor says what to do about the failures that beginners meet.
func adviceFor(err error) string {
	switch {
	case errors.Is(err, mid.ErrInvalidClient):
		return "Are MID_CLIENT_ID and MID_CLIENT_SECRET those of this environment? Sandbox and production have their own; MID_BASE_URL picks one."
	case errors.Is(err, mid.ErrForbidden):
		return "The credentials are good, but the account may not do this."
	case errors.Is(err, mid.ErrRateLimited):
		return "The account's quota is used up for now."
	}
	if _, ok := errors.AsType[*mid.APIError](err); ok {
		return "MID's support can look the request up by the id above."
	}
	return ""
}
