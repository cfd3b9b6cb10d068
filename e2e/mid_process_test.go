package e2e_test

import (
	"context"
	"net"
	"time"

	"github.com/mobid-io/mid-go/midtest"
)

// Credentials of the fake server that is a process.
const (
	midClientID     = "soak-client"
	midClientSecret = "soak-client-secret"
)

// serveMID serves a fake MID whose tokens live for two seconds and whose users
// act by themselves.
func serveMID(ctx context.Context, l net.Listener) error {
	srv := midtest.NewServer(
		midtest.WithListener(l),
		midtest.WithQuota(1_000_000, time.Hour),
		midtest.WithTokenLifetime(2*time.Second),
		midtest.WithAutoComplete(50*time.Millisecond),
	)
	srv.ClientID, srv.ClientSecret, srv.WebhookSecret = midClientID, midClientSecret, receiverSecret
	<-ctx.Done()
	srv.Close()
	return nil
}
