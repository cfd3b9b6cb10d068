package midredis_test

import (
	"log"
	"os"

	"github.com/redis/go-redis/v9"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midredis"
)

// Every process of the application does this with the same client id.
func Example() {
	id, secret := os.Getenv("MID_CLIENT_ID"), os.Getenv("MID_CLIENT_SECRET")
	rdb := redis.NewClient(&redis.Options{Addr: "localhost:6379"})

	store, err := midredis.NewEventStore(rdb, id)
	if err != nil {
		log.Fatal(err)
	}
	notifier, err := midredis.NewNotifier(rdb, id)
	if err != nil {
		log.Fatal(err)
	}
	tokens, err := midredis.NewTokenCache(rdb, id, secret)
	if err != nil {
		log.Fatal(err)
	}
	limiter, err := midredis.NewLimiter(rdb, id, mid.PlanStarter)
	if err != nil {
		log.Fatal(err)
	}
	client, err := mid.NewClient(id, secret,
		mid.WithTokenCache(tokens),
		mid.WithLimiter(limiter),
		mid.WithWebhooks(mid.WebhookConfig{Store: store, Notifier: notifier}),
	)
	if err != nil {
		log.Fatal(err)
	}
	_ = client
}
