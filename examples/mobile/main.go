// Mobile is the backend of a mobile app whose users sign in with MID:
//
//	MID_CLIENT_ID=… MID_CLIENT_SECRET=… go run ./examples/mobile -listen :8080
//
// The app posts to /login, opens the link that it gets, and posts to
// /login/finish until it has a token. Without -listen the program runs a
// demonstration with a fake MID server, an app and a phone.
package main

import (
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/mobid-io/mid-go"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	listen := flag.String("listen", "", "the `address` to serve at; if empty, a demonstration runs")
	flag.Parse()
	run := demo
	if *listen != "" {
		run = func(ctx context.Context) error { return serve(ctx, *listen) }
	}
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "mobile:", err)
		os.Exit(1)
	}
}

func serve(ctx context.Context, address string) error {
	client, err := mid.NewClientFromEnv(mid.WithAppInfo("mid-mobile", mid.Version))
	if err != nil {
		return err
	}
	server := &http.Server{Addr: address, Handler: newLogins(client, signIn), ReadTimeout: 10 * time.Second}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 25*time.Second)
		defer cancel()
		stopped <- server.Shutdown(end)
	}()
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		return err
	}
	return <-stopped
}

// signIn is where a product finds the account of the user and makes a session of
// its own.
func signIn(string) (string, error) { return rand.Text(), nil }
