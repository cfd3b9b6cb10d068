// Mid-mock is a fake MID server with a page that plays the phone: for demos,
// and for developing against the API in any language without network, accounts
// or phones.
//
//	go run github.com/mobid-io/mid-go/cmd/mid-mock@latest
//
// It prints the base URL, the credentials and the page's address, and serves
// until Ctrl-C. What it knows it forgets when it stops. Run it with -h for its
// flags. Go tests are better served by package midtest, whose server this is.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program the hard way
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program but for the process around it: it serves until ctx ends
// and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	cfg, err := parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		say(stdout, usage())
		return 0
	case err != nil:
		say(stderr, "mid-mock: "+err.Error()+"\nRun mid-mock -h for help.\n")
		return 2
	case cfg.version:
		say(stdout, "mid-mock "+mid.Version+"\n")
		return 0
	}
	if err := serve(ctx, cfg, stdout, stderr); err != nil {
		say(stderr, "mid-mock: "+err.Error()+"\n")
		return 1
	}
	return 0
}

func serve(ctx context.Context, cfg *config, stdout, stderr io.Writer) error {
	var listener net.ListenConfig
	l, err := listener.Listen(ctx, "tcp", cfg.addr)
	if err != nil {
		return fmt.Errorf("%w (another address can be chosen with -addr)", err)
	}
	loopback := isLoopback(l.Addr())
	if !loopback {
		say(stderr, fmt.Sprintf(exposed, l.Addr()))
	}
	hosts := guard{exposed: !loopback, public: hostname(cfg.public.Host)}
	options := []midtest.Option{midtest.WithListener(l), midtest.WithMiddleware(hosts.wrap)}
	srv := midtest.NewServer(append(options, cfg.options...)...)
	defer srv.Close()
	if cfg.public.Host != "" {
		srv.URL = cfg.public.String() + "/v1"
	}
	cfg.spoil(srv)
	srv.HandlePages((&site{srv}).handler())
	say(stdout, banner(srv))
	<-ctx.Done()
	srv.Close()
	say(stdout, "\nStopped.\n")
	return nil
}

// spoil makes all requests as slow and unreliable as the flags ask for.
func (c *config) spoil(srv *midtest.Server) {
	if c.errorRate > 0 {
		srv.Inject(midtest.Fault{Times: -1, Chance: c.errorRate, Status: 503, Latency: c.latency})
	}
	if c.latency > 0 {
		srv.Inject(midtest.Fault{Times: -1, Latency: c.latency})
	}
}

func isLoopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// exposed is said to who listens on more than loopback.
const exposed = `mid-mock: warning: %s is not a loopback address. Whoever reaches it can use the API
mid-mock: warning: and decide every session, over plain HTTP. From other machines the Go SDK
mid-mock: warning: takes https alone: put a proxy with TLS in front for it.
`

func banner(srv *midtest.Server) string {
	return fmt.Sprintf(`mid-mock %s: a fake MID server. Nothing here reaches MID or anybody's phone.

  Base URL        %s
  Client id       %s
  Client secret   %s
  Webhook secret  %s

Point the SDK at it, with mid.NewClientFromEnv in your program:

%s
Play the phone, the verifier and the signers:

  %s/

Ctrl-C stops it.
`, mid.Version, srv.URL, srv.ClientID, srv.ClientSecret, srv.WebhookSecret,
		indent(environment(srv)), origin(srv))
}

// environment is what to paste into a shell.
func environment(srv *midtest.Server) string {
	return "export MID_BASE_URL=" + quote(srv.URL) +
		"\nexport MID_CLIENT_ID=" + quote(srv.ClientID) +
		"\nexport MID_CLIENT_SECRET=" + quote(srv.ClientSecret) +
		"\nexport MID_WEBHOOK_SECRET=" + quote(srv.WebhookSecret) + "\n"
}

// quote keeps shells from reading an IPv6 address as a pattern. None of the
// values has a quote in it.
func quote(value string) string {
	if strings.ContainsAny(value, "[]%") {
		return "'" + value + "'"
	}
	return value
}

func indent(lines string) string {
	var b strings.Builder
	for line := range strings.Lines(lines) {
		b.WriteString("  " + line)
	}
	return b.String()
}

func origin(srv *midtest.Server) string { return strings.TrimSuffix(srv.URL, "/v1") }

// say writes to the terminal. If that fails, there is nobody left to tell.
func say(w io.Writer, text string) { _, _ = io.WriteString(w, text) }
