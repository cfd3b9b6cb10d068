// Signing has a PDF file signed by the people that its arguments name, and
// follows who signed:
//
//	go run ./examples/signing -pdf lease.pdf "Isolde Wren <isolde.wren@example.com>" "Theo Quill <theo.quill@example.org>"
//
// It ends with status 0 when all have signed, and with 1 when somebody declined
// or time ran out. Without MID_CLIENT_ID and MID_CLIENT_SECRET it uses a fake
// MID server, where everybody signs after a moment.
package main

import (
	"context"
	"errors"
	"flag"
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
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		os.Exit(2) // the flag package's status; it has told what is wrong
	default:
		fmt.Fprintln(os.Stderr, "signing:", err)
		if ctx.Err() != nil {
			os.Exit(130) // what shells expect of a program that Ctrl-C ended
		}
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	a, err := parseArgs(args, stderr)
	if err != nil {
		return err
	}
	client, poll, leave, err := connect(stdout)
	if err != nil {
		return err
	}
	defer leave()

	sessionID := a.sessionID
	if sessionID == "" {
		session, err := askForSignatures(ctx, client, a)
		if err != nil {
			return err
		}
		printLinks(stdout, session)
		sessionID = session.ID
	}
	return follow(ctx, client, sessionID, poll, stdout)
}

// connect makes the client: of MID if there are credentials, else of a fake.
// What it returns last is to be called in the end.
func connect(stdout io.Writer) (*mid.Client, mid.PollOptions, func(), error) {
	if !hasCredentials() {
		fmt.Fprintln(stdout, "Using a fake MID server, which ends with this program: MID_CLIENT_ID and MID_CLIENT_SECRET are not set.")
		client, poll, leave := connectFake()
		return client, poll, leave, nil
	}
	client, err := mid.NewClientFromEnv(mid.WithAppInfo("mid-signing", mid.Version))
	return client, mid.PollOptions{}, func() {}, err
}
