package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"
)

// settings are what the flags ask for.
type settings struct {
	production  bool
	write       bool
	listen      string
	callbackURL string
	wait        time.Duration
	json        bool
	fields      bool
	report      string
	version     bool
}

// parse reads the flags. Its error is flag.ErrHelp if help was asked for.
func parse(args []string) (settings, error) {
	var s settings
	fs := s.flags()
	if err := fs.Parse(args); err != nil {
		return s, err
	}
	switch {
	case fs.NArg() > 0:
		return s, fmt.Errorf("unexpected argument %q: there are only flags", fs.Arg(0))
	case s.callbackURL != "" && s.listen == "":
		return s, errors.New("-callback-url goes with -listen")
	case s.wait <= 0:
		return s, errors.New("-wait must be more than zero")
	}
	return s, nil
}

func (s *settings) flags() *flag.FlagSet {
	fs := flag.NewFlagSet("mid-doctor", flag.ContinueOnError)
	fs.SetOutput(io.Discard) // run says what is wrong, and says it once
	fs.BoolVar(&s.production, "production", false, "ask the production API in place of the sandbox")
	fs.BoolVar(&s.write, "write", false, "also upload documents, start a verification and create a signing\nsession, which the account keeps")
	fs.StringVar(&s.listen, "listen", "", "wait for an event at `host:port` of this machine, and verify it")
	fs.StringVar(&s.callbackURL, "callback-url", "", "the `URL` by which MID reaches that address (default http://host:port/)")
	fs.DurationVar(&s.wait, "wait", 6*time.Minute, "wait for the event for a `duration`; the session ends by itself in five\nminutes")
	fs.BoolVar(&s.json, "json", false, "print JSON")
	fs.BoolVar(&s.fields, "fields", false, "print all fields, those that are as the contract says too")
	fs.StringVar(&s.report, "report", "", "write a report to a `file`, to attach to an issue")
	fs.BoolVar(&s.version, "version", false, "print the version and exit")
	return fs
}

func usage() string {
	var b strings.Builder
	fs := new(settings).flags()
	fs.SetOutput(&b)
	fs.PrintDefaults()
	return `mid-doctor asks a MID account which parts of the contract it speaks.

Usage:

  mid-doctor [flags]

MID_CLIENT_ID and MID_CLIENT_SECRET are the account's credentials. MID_BASE_URL
is the API's base URL, the sandbox if it is not set; MID_WEBHOOK_SECRET is what
events are signed with, if that is not the client secret.

No output has a secret, an id or anything else of the account's but the names
and kinds of fields.

Flags:

` + b.String() + `
It exits with 0 if the SDK reads all that it asked for, with 1 if something is
missing, unreadable or refused, and with 2 if it could not ask.
`
}
