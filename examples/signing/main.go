// Signing has a PDF file signed by the people that its arguments name, and
// follows who signs:
//
//	go run ./examples/signing -pdf lease.pdf "Isolde Wren <isolde.wren@example.com>" "Theo Quill <theo.quill@example.org>"
//
// Its exit status is 0 when everyone has signed, 3 when someone declined or
// time ran out, 1 for a failure, and 2 for wrong usage. Without arguments it
// runs a demonstration with a fake MID server.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/mail"
	"os"
	"os/signal"
	"syscall"

	"github.com/mobid-io/mid-go"
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	pdf := flag.String("pdf", "", "the `file` to sign")
	sessionID := flag.String("session", "", "the `id` of a session to follow, in place of a new one")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: signing -pdf file \"Name <email>\" ...\n       signing -session id")
		flag.PrintDefaults()
	}
	flag.Parse()
	if len(os.Args) == 1 {
		return conclude(demo(ctx))
	}
	signers, err := parseSigners(flag.Args())
	if create, follow := *pdf != "" && len(signers) > 0, *sessionID != ""; err == nil && create == follow {
		err = errors.New("give a file and its signers, or a session")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "signing:", err)
		flag.Usage()
		return 2
	}
	client, err := mid.NewClientFromEnv(mid.WithAppInfo("mid-signing", mid.Version))
	if err != nil {
		return conclude(err)
	}
	if *sessionID != "" {
		return conclude(follow(ctx, client, *sessionID, mid.PollOptions{}, os.Stdout))
	}
	file, err := mid.FileFromPath(*pdf)
	if err != nil {
		return conclude(err)
	}
	session, err := askForSignatures(ctx, client, file, signers)
	if err != nil {
		return conclude(err)
	}
	printLinks(os.Stdout, session)
	return conclude(follow(ctx, client, session.ID, mid.PollOptions{}, os.Stdout))
}

func parseSigners(args []string) (signers []mid.SignerParams, err error) {
	for i, arg := range args {
		address, err := mail.ParseAddress(arg)
		if err != nil || address.Name == "" {
			return nil, fmt.Errorf(`signer %d is not of the form "Name <email>"`, i+1)
		}
		signers = append(signers, mid.SignerParams{Name: address.Name, Email: address.Address})
	}
	return signers, nil
}

// printLinks is for the person at the terminal, who passes the links on. Who
// has a link can sign, so a service sends each to its signer and logs nothing.
func printLinks(w io.Writer, session *mid.SigningSession) {
	fmt.Fprintf(w, "Session %s is open until %s.\n\n", session.ID, session.ExpiresAt.Local().Format("2 January 2006, 15:04"))
	for _, signer := range session.Signers {
		fmt.Fprintf(w, "  %s signs at\n  %s\n\n", signer.Name, signer.SignURL)
	}
}

// conclude prints why the program fails, and returns its exit status.
func conclude(err error) int {
	if err == nil {
		return 0
	}
	fmt.Fprintf(os.Stderr, "signing: %v%s\n", err, advice(err))
	if errors.Is(err, errUnsigned) {
		return 3
	}
	return 1
}
