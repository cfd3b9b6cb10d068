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
	hosts := guard{exposed: !isLoopback(l.Addr()), public: hostname(cfg.public.Host)}
	if hosts.exposed {
		say(stderr, fmt.Sprintf(exposed, l.Addr()))
	}
	options := []midtest.Option{midtest.WithListener(l), midtest.WithMiddleware(hosts.wrap)}
	srv := midtest.NewServer(append(options, cfg.options...)...)
	defer srv.Close()
	if cfg.public.Host != "" {
		srv.URL = cfg.public.String() + "/v1"
	}
	cfg.spoil(srv)
	srv.HandlePages(newSite(srv, hosts))
	if hosts.reachable() {
		say(stderr, reachable)
	}
	say(stdout, banner(srv))
	if hosts.reachable() {
		(&callbacks{srv: srv, stderr: stderr, warned: map[string]bool{}}).watch(ctx)
	}
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
