// Weblogin signs people in to a web site with their phone: the page shows a QR
// code, the phone approves, and the browser that began is signed in.
//
//	go run ./examples/weblogin
//
// Without MID_CLIENT_ID and MID_CLIENT_SECRET it talks to a fake MID server of
// its own and serves a page that plays the phone.
package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/mobid-io/mid-go"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "weblogin:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends. Everything that it started has ended when it
// returns.
func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("weblogin", flag.ContinueOnError)
	flags.SetOutput(stdout)
	flags.Usage = func() {
		_, _ = io.WriteString(stdout, usage)
		flags.PrintDefaults()
	}
	addr := flags.String("addr", "127.0.0.1:8080", "address to listen on")
	https := flags.Bool("https", false, "browsers reach this server by https, through a proxy: make the cookies Secure")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q: there are only flags", flags.Arg(0))
	}
	key, err := cookieKey(os.Getenv("WEBLOGIN_COOKIE_KEY"))
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		return err
	}
	// The server closes it, once there is one; again does no harm.
	defer func() { _ = listener.Close() }()

	cfg := config{cookieKey: key, https: *https, log: slog.Default()}
	site := "http://" + reachable(listener.Addr())
	if os.Getenv("MID_CLIENT_ID") == "" && os.Getenv("MID_CLIENT_SECRET") == "" {
		demo := startDemo()
		defer demo.Close()
		cfg = demo.configure(cfg, site)
	} else if cfg, err = fromEnv(cfg); err != nil {
		return err
	}
	exposed := !isLoopback(listener.Addr())
	if err := greet(stdout, site, cfg.phoneURL, exposed && !*https); err != nil {
		return err
	}
	if exposed {
		cfg.phoneURL = "" // the demonstration's phone is on loopback: a dead link elsewhere
	}
	return serve(ctx, listener, newApp(cfg))
}

const usage = `Weblogin signs people in to a web site with their phone.

Environment, without which a fake MID and its phone run beside the site:

  MID_CLIENT_ID, MID_CLIENT_SECRET   the credentials of a MID account
  MID_BASE_URL, MID_WEBHOOK_SECRET   if the account has its own
  WEBLOGIN_CALLBACK_URL              where MID reaches ` + webhookPath + `; without it, polling
  WEBLOGIN_COOKIE_KEY                32 random bytes in base64, to sign cookies

Flags:

`

// greet tells where to look, and warns of cookies that cross a network in the
// clear.
func greet(stdout io.Writer, site, phone string, unsafe bool) error {
	text := "Sign-in page: " + site + "/\n"
	if phone != "" {
		text = "No MID_CLIENT_ID and MID_CLIENT_SECRET: this is a demonstration with a fake MID.\n" +
			text + "Demo phone:   " + phone + "\n"
	}
	if unsafe {
		text += "Warning: this address is not loopback, and cookies go over plain http. Put a proxy\n" +
			"with TLS in front, and give -https.\n"
	}
	_, err := io.WriteString(stdout, text+"Ctrl-C stops it.\n")
	return err
}

// fromEnv makes the client for a real MID account.
func fromEnv(cfg config) (config, error) {
	client, err := mid.NewClientFromEnv(mid.WithAppInfo("weblogin", ""), mid.WithLogger(cfg.log))
	if err != nil {
		return cfg, err
	}
	cfg.client = client
	cfg.callbackURL = os.Getenv("WEBLOGIN_CALLBACK_URL")
	if cfg.callbackURL == "" {
		// Nothing but polling tells of the approval, so look often.
		cfg.poll.MaxInterval = 2 * time.Second
		return cfg, nil
	}
	u, err := url.Parse(cfg.callbackURL)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" {
		return cfg, errors.New("WEBLOGIN_CALLBACK_URL must be the address by which MID reaches " + webhookPath)
	}
	return cfg, nil
}

// cookieKey decodes the key that signs the cookies. Without one, whoever is
// signed in is signed out when the program restarts.
func cookieKey(text string) ([]byte, error) {
	if text == "" {
		key := make([]byte, keySize)
		_, err := rand.Read(key)
		return key, err
	}
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(key) < keySize {
		return nil, fmt.Errorf("WEBLOGIN_COOKIE_KEY must be at least %d random bytes in base64", keySize)
	}
	return key, nil
}

// reachable is where this machine reaches what listens on addr.
func reachable(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return addr.String()
}

func isLoopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// serve serves app until ctx ends, and gives requests under way a moment then.
func serve(ctx context.Context, listener net.Listener, app *app) error {
	server := &http.Server{
		Handler: app.handler(),
		// No request takes long but the stream of events, which moves its
		// deadline on by itself.
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(app.log.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()

	var failure error
	select {
	case failure = <-served: // it never began, or the listener broke
	case <-ctx.Done():
	}
	app.stop() // Shutdown would wait for the streams for ever
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		failure = errors.Join(failure, err, server.Close())
	}
	app.wait()
	return failure
}
