// Weblogin is a site where people sign in with their phone, see their account,
// and sign out. Package midweb does the signing in; what is here is the site's.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midweb"
)

var (
	addr    = flag.String("addr", "127.0.0.1:8080", "`address` to listen on")
	origin  = flag.String("origin", "", "the site's `origin`, like https://shop.example (default the address, by http)")
	proxies = flag.Int("proxies", 0, "`number` of proxies before the site that append to X-Forwarded-For")
	demo    = flag.Bool("demo", false, "sign in with mid-mock in place of MID; on loopback only")
	mock    = flag.String("mock", "http://127.0.0.1:8700", "`origin` of mid-mock, for -demo")
)

func main() {
	flag.Parse()
	if err := serve(); err != nil {
		log.Fatalln("weblogin:", err)
	}
}

func serve() error {
	if *demo {
		if err := demonstrate(); err != nil {
			return err
		}
	}
	client, err := mid.NewClientFromEnv()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		return err
	}
	if *origin == "" {
		*origin = "http://" + listener.Addr().String()
	}
	var site site
	signIn, err := midweb.New(client, midweb.Config{
		Keys:        [][]byte{[]byte(rand.Text() + rand.Text())}, // several processes need the same
		SignedIn:    site.signedIn,
		Origin:      *origin,
		CallbackURL: *origin + "/mid/events",
		Name:        "Alder & Finch",
		Brake:       midweb.Brake{TrustedProxies: *proxies},
		Logger:      slog.Default(),
	})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/signin/", signIn)
	mux.Handle("POST /mid/events", client.Webhooks.Handler(mid.EventHandlers{}))
	mux.HandleFunc("GET /{$}", site.account)
	mux.Handle("POST /signout", http.NewCrossOriginProtection().Handler(http.HandlerFunc(site.signOut)))

	server := &http.Server{Handler: mux, ReadTimeout: 10 * time.Second, WriteTimeout: time.Minute}
	server.RegisterOnShutdown(signIn.Close)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	stopped := make(chan error, 1)
	context.AfterFunc(ctx, func() { stopped <- server.Shutdown(context.Background()) })
	log.Printf("The site is at http://%s/ now. Ctrl-C stops it.", listener.Addr())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped // the requests under way have been answered
}

// demonstrate puts mid-mock in MID's place, where anyone signs in as anyone.
func demonstrate() (err error) {
	if host, _, _ := net.SplitHostPort(*addr); *origin != "" || *proxies != 0 || !net.ParseIP(host).IsLoopback() {
		return errors.New("-demo goes with a loopback address only, and without -origin and -proxies")
	}
	for name, value := range map[string]string{
		"MID_BASE_URL": *mock + "/v1", "MID_WEBHOOK_SECRET": "midtest-webhook-secret",
		"MID_CLIENT_ID": "midtest-client", "MID_CLIENT_SECRET": "midtest-client-secret",
	} {
		if os.Getenv(name) != "" {
			return errors.New("-demo does not go with " + name + " in the environment")
		}
		err = errors.Join(err, os.Setenv(name, value))
	}
	return err
}
