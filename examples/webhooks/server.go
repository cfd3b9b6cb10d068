package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/mobid-io/mid-go"
)

// grace is how long the deliveries under way may take when the service ends.
const grace = 10 * time.Second

// newHandler routes MID's deliveries and the health checks of whatever runs
// the service.
func newHandler(hooks *mid.WebhookService, log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/mid/events", hooks.Handler(handlers(log)))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}

// handlers say what happens for an event that was verified and is new. An error
// has MID deliver it again. Sessions and verifications log as their id and
// status alone, so that no personal data gets here.
func handlers(log *slog.Logger) mid.EventHandlers {
	return mid.EventHandlers{
		AuthenticationCompleted: func(ctx context.Context, _ *mid.Event, session *mid.AuthSession) error {
			// A service with a client calls Authentication.Verify here before
			// it signs anybody in.
			log.LogAttrs(ctx, slog.LevelInfo, "sign-in ended", slog.Any("session", session))
			return nil
		},
		VerificationCompleted: func(ctx context.Context, _ *mid.Event, verification *mid.Verification) error {
			log.LogAttrs(ctx, slog.LevelInfo, "verification ended", slog.Any("verification", verification))
			return nil
		},
		SigningCompleted: func(ctx context.Context, _ *mid.Event, session *mid.SigningSession) error {
			log.LogAttrs(ctx, slog.LevelInfo, "signing ended", slog.Any("session", session))
			return nil
		},
		Other: func(ctx context.Context, event *mid.Event) error {
			log.LogAttrs(ctx, slog.LevelInfo, "not interested", slog.Any("event", event))
			return nil
		},
	}
}

// serve serves until ctx ends, and then lets the deliveries under way finish:
// one that is cut off is only delivered again, but why do things twice?
func serve(ctx context.Context, listener net.Listener, handler http.Handler, log *slog.Logger) error {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second, // the SDK reads a body as slowly as it comes
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute, // longer than a proxy's, so that it never meets a closed connection
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	log.LogAttrs(ctx, slog.LevelInfo, "shutting down")
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	return server.Shutdown(ctx)
}
