package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/mail"
	"os"

	"github.com/mobid-io/mid-go"
)

// arguments are what the command line says.
type arguments struct {
	pdf       string // empty: the agreement that ships with the program
	title     string // empty: the file's name
	sessionID string // not empty: follow this session instead of creating one
	signers   []mid.SignerParams
}

// errUsage says that the command line is wrong and that the user was told.
var errUsage = errors.New("wrong usage")

func parseArgs(args []string, stderr io.Writer) (arguments, error) {
	var a arguments
	flags := flag.NewFlagSet("signing", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&a.pdf, "pdf", "", "the PDF `file` to sign; without it, a specimen of an agreement")
	flags.StringVar(&a.title, "title", "", "the `title` that signers see; without it, the file's name")
	flags.StringVar(&a.sessionID, "session", "", "follow the session with this `id` instead of creating one")
	flags.Usage = func() {
		fmt.Fprintln(stderr, `usage: signing [-pdf file] [-title title] "Name <email>" ...`)
		fmt.Fprintln(stderr, `       signing -session id`)
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return a, err
		}
		return a, errUsage
	}
	var err error
	if a.signers, err = parseSigners(flags.Args()); err == nil {
		err = a.check()
	}
	if err != nil {
		fmt.Fprintln(stderr, "signing:", err)
		flags.Usage()
		return a, errUsage
	}
	return a, nil
}

// check fills in the signers of the specimen. They are invented, so the real
// MID is not asked to write to them.
func (a *arguments) check() error {
	if a.sessionID != "" {
		switch {
		case len(a.signers) > 0 || a.pdf != "":
			return errors.New("-session goes with neither -pdf nor signers")
		case !hasCredentials():
			return errors.New("-session needs MID_CLIENT_ID and MID_CLIENT_SECRET: the sessions of a fake server end with it")
		}
		return nil
	}
	if len(a.signers) > 0 {
		return nil
	}
	if hasCredentials() {
		return errors.New("nobody is named to sign (with MID_CLIENT_ID or MID_CLIENT_SECRET set, this is no demonstration)")
	}
	a.signers = []mid.SignerParams{
		{Name: "Isolde Wren", Email: "isolde.wren@example.com"},
		{Name: "Theo Quill", Email: "theo.quill@example.org"},
	}
	return nil
}

// hasCredentials reports whether the environment names an account, if only in
// part: then nothing is faked.
func hasCredentials() bool {
	return os.Getenv("MID_CLIENT_ID") != "" || os.Getenv("MID_CLIENT_SECRET") != ""
}

func parseSigners(args []string) ([]mid.SignerParams, error) {
	var signers []mid.SignerParams
	for i, arg := range args {
		address, err := mail.ParseAddress(arg)
		if err != nil || address.Name == "" {
			return nil, fmt.Errorf(`signer %d must be of the form "Name <email>"`, i+1)
		}
		signers = append(signers, mid.SignerParams{Name: address.Name, Email: address.Address})
	}
	return signers, nil
}
