// Kyc verifies an identity from a passport and a selfie: the pattern of a
// server, or of an operator at a terminal, with nobody's phone involved.
//
//	go run ./examples/kyc [flags] PASSPORT SELFIE
//
// Without arguments and without MID_CLIENT_ID in the environment it runs a
// demonstration with two specimens and a fake MID server.
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

// The exit statuses, so that a script need not read the output.
const (
	exitVerified    = 0
	exitFailed      = 1 // there is no verdict
	exitUsage       = 2
	exitRejected    = 3
	exitExpired     = 4
	exitInterrupted = 130 // what shells expect of a program that Ctrl-C ended
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// Who presses Ctrl-C twice does not want to wait for anything.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is main with everything it touches passed in. What happens goes to
// stderr, so that stdout has the result alone.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	cfg, err := parseArgs(args)
	if errors.Is(err, flag.ErrHelp) {
		_, err := io.WriteString(stdout, help)
		if err != nil {
			return exitFailed
		}
		return 0
	}
	if err != nil {
		return report(stderr, exitUsage, "%v\nusage: %s; kyc -h tells more", err, synopsis)
	}
	app, err := newApp(cfg, newScreen(stderr))
	if _, ok := errors.AsType[*mid.ValidationError](err); ok { // in the environment
		return report(stderr, exitUsage, "%v", err)
	}
	if err != nil {
		return report(stderr, exitFailed, "%v", err)
	}
	defer app.close()

	limited, cancel := context.WithTimeout(ctx, cfg.timeout)
	defer cancel()
	v, err := app.verify(limited)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		app.screen.home() // a terminal has just shown ^C
		return report(stderr, exitInterrupted, "interrupted; %s", app.whatGoesOn())
	case limited.Err() != nil:
		return report(stderr, exitFailed, "no verdict within %v; %s", cfg.timeout, app.whatGoesOn())
	default:
		return report(stderr, exitFailed, "%v", err)
	}
	app.screen.done()
	if err := writeResult(stdout, v, cfg.json); err != nil {
		return report(stderr, exitFailed, "the result can't be written: %v", err)
	}
	return exitStatus(v.Status)
}

// report prints why the program ends. Where even that can't be printed, the
// exit status has to do.
func report(stderr io.Writer, status int, format string, args ...any) int {
	_, _ = fmt.Fprintf(stderr, "kyc: "+format+"\n", args...)
	return status
}

func exitStatus(s mid.VerificationStatus) int {
	switch s {
	case mid.VerificationVerified:
		return exitVerified
	case mid.VerificationRejected:
		return exitRejected
	case mid.VerificationExpired:
		return exitExpired
	}
	return exitFailed
}
