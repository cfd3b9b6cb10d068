// Mid-doctor asks a MID account which parts of the contract it speaks, through
// the SDK itself: what it says is what an application will find.
//
//	MID_CLIENT_ID=… MID_CLIENT_SECRET=… go run github.com/mobid-io/mid-go/cmd/mid-doctor@latest
//
// It asks the sandbox, unless MID_BASE_URL or -production says otherwise. It
// exits with 0 if the SDK reads all that it asked for, with 1 if something is
// missing, unreadable or refused, and with 2 if it could not ask. Run it with -h
// for its flags.
package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/mobid-io/mid-go"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program the hard way
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// The exit codes.
const (
	exitReadable = 0
	exitBad      = 1
	exitUsage    = 2
)

// patience is how long all requests may take, without the wait for an event.
const patience = 3 * time.Minute

// run is the program but for the process around it.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	s, err := parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		say(stdout, usage())
		return exitReadable
	case err != nil:
		say(stderr, "mid-doctor: "+err.Error()+"\nRun mid-doctor -h for help.\n")
		return exitUsage
	case s.version:
		say(stdout, "mid-doctor "+mid.Version+"\n")
		return exitReadable
	}
	found, err := diagnose(ctx, s, func(text string) { say(stderr, "mid-doctor: "+text) })
	if err != nil {
		say(stderr, "mid-doctor: "+strings.TrimPrefix(err.Error(), "mid: ")+"\n")
		return exitUsage
	}
	if s.json {
		say(stdout, found.asJSON())
	} else {
		say(stdout, found.table(s.fields))
	}
	if s.report != "" {
		if err := found.save(s.report); err != nil {
			say(stderr, "mid-doctor: "+err.Error()+"\n")
			return exitUsage
		}
	}
	if found.bad() > 0 {
		return exitBad
	}
	return exitReadable
}

// diagnose makes the checks that the settings want. Its error is one of the
// environment: then nothing was asked.
func diagnose(ctx context.Context, s settings, say func(string)) (*diagnosis, error) {
	api, options := s.api(os.Getenv("MID_BASE_URL"))
	d := newDoctor(options...)
	d.SDK, d.Go, d.API = mid.Version, runtime.Version(), api.name
	if _, err := d.client(d.names); err != nil {
		return nil, err
	}
	asking, cancel := context.WithTimeout(ctx, patience)
	d.examine(asking, s.write)
	cancel()
	if s.listen != "" {
		d.listen(ctx, s, say)
	}
	d.advise(api.code)
	return &d.diagnosis, nil
}

// api is which one is asked.
type api struct {
	name string   // no host: it may be one of the network inside
	code []string // the options for it, as Go code
}

const (
	sandbox    = "the sandbox"
	production = "production"
)

// api is that of the flags, of MID_BASE_URL or, without either, the sandbox.
func (s settings) api(baseURL string) (api, []mid.Option) {
	switch baseURL = strings.TrimRight(baseURL, "/"); {
	case s.production:
		return api{name: production}, []mid.Option{mid.WithBaseURL(mid.ProductionURL)}
	case baseURL == "":
		return api{name: sandbox, code: []string{"mid.WithSandbox()"}}, []mid.Option{mid.WithSandbox()}
	case baseURL == mid.SandboxURL:
		return api{name: sandbox}, nil
	case baseURL == mid.ProductionURL:
		return api{name: production}, nil
	}
	return api{name: "the API at MID_BASE_URL"}, nil
}

// say writes to the terminal. If that fails, there is no other place for it.
func say(w io.Writer, text string) { _, _ = io.WriteString(w, text) }
