package main

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midredis"
)

// account is what a worker knows of the account that all of them use.
type account struct {
	URL, ID, Secret, WebhookSecret string
	Redis                          string // its address
}

// newClient is the whole of it: the client of one process of a fleet.
func newClient(a account, logger *slog.Logger) (*mid.Client, error) {
	rdb := redis.NewClient(&redis.Options{Addr: a.Redis})
	logged := midredis.WithLogger(logger)

	limiter, err := midredis.NewLimiter(rdb, a.ID, plan, logged) // one quota
	if err != nil {
		return nil, err
	}
	tokens, err := midredis.NewTokenCache(rdb, a.ID, a.Secret, logged) // one token
	if err != nil {
		return nil, err
	}
	store, err := midredis.NewEventStore(rdb, a.ID) // each event once
	if err != nil {
		return nil, err
	}
	notifier, err := midredis.NewNotifier(rdb, a.ID) // a webhook here wakes a wait there
	if err != nil {
		return nil, err
	}
	return mid.NewClient(a.ID, a.Secret, mid.WithBaseURL(a.URL),
		mid.WithLimiter(limiter),
		mid.WithTokenCache(tokens),
		mid.WithWebhooks(mid.WebhookConfig{
			Secrets: []string{a.WebhookSecret}, Store: store, Notifier: notifier,
			Lease: 3 * time.Second, // another takes over from a process that has died
		}),
	)
}

// work asks for a session as often as the quota allows, and says so.
func work(ctx context.Context, client *mid.Client, sessionID string, say func(report)) {
	for ctx.Err() == nil {
		_, err := client.Authentication.GetSession(ctx, sessionID)
		switch {
		case err == nil:
			say(report{Served: 1})
		case ctx.Err() == nil:
			slog.New(slog.NewTextHandler(os.Stderr, nil)).Error("a call failed", slog.Any("error", err))
			say(report{Failed: 1})
		}
	}
}
