package bench

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/stripe/stripe-go/v86"
	"github.com/stripe/stripe-go/v86/webhook"
)

var stripeContestant = Contestant{
	Name:   "stripe-go",
	Note:   "stripe.NewClient with its backend's URL set, its timeout and telemetry as shipped; V1Customers.Retrieve and Create (a form); webhook: webhook.ConstructEvent",
	Answer: customerAnswer,
	Get: func(env Env) (Op, error) {
		client := newStripe(env)
		return func(ctx context.Context) error {
			c, err := client.V1Customers.Retrieve(ctx, customerID, nil)
			if err != nil {
				return err
			}
			return want(c.ID, customerID)
		}, nil
	},
	Post: func(env Env) (Op, error) {
		client := newStripe(env)
		return func(ctx context.Context) error {
			params := &stripe.CustomerCreateParams{
				Name:        stripe.String(createName),
				Description: stripe.String(createDesc),
				Email:       stripe.String(createMail),
			}
			params.AddMetadata("team", "core")
			c, err := client.V1Customers.Create(ctx, params)
			if err != nil {
				return err
			}
			return want(c.ID, customerID)
		}, nil
	},
	Target: func() any { return new(stripe.Customer) },
	Webhook: func() (Op, error) {
		body := []byte(pad(customerEvent, EventSize))
		at := strconv.FormatInt(time.Now().Unix(), 10)
		header := fmt.Sprintf("t=%s,v1=%s", at, hexMAC(hookSecret, []byte(at+"."+string(body))))
		return func(context.Context) error {
			event, err := webhook.ConstructEvent(body, header, hookSecret)
			if err != nil {
				return err
			}
			return want(event.ID, customerEventID)
		}, nil
	},
}

const (
	customerID      = "cus_NffrFeUfNV2Hib"
	customerEventID = "evt_1MqqbKLt4dXK03v5qaIbiNCC"
	customerAnswer  = `{"id":"` + customerID + `","object":"customer","address":null,"balance":0,"created":1680893993,"currency":null,"default_source":null,"delinquent":false,"description":"%PAD%","email":"noor.haddad@example.com","invoice_prefix":"0759376C","invoice_settings":{"custom_fields":null,"default_payment_method":null,"footer":null},"livemode":false,"metadata":{"team":"core"},"name":"Noor Haddad","next_invoice_sequence":1,"phone":null,"preferred_locales":[],"shipping":null,"tax_exempt":"none"}`
	customerEvent   = `{"id":"` + customerEventID + `","object":"event","api_version":"` + stripe.APIVersion + `","created":1680893993,"data":{"object":{"id":"` + customerID + `","object":"customer","balance":0,"created":1680893993,"delinquent":false,"description":"%PAD%","email":"noor.haddad@example.com","livemode":false,"metadata":{"team":"core"},"name":"Noor Haddad","preferred_locales":[],"tax_exempt":"none"}},"livemode":false,"pending_webhooks":1,"request":{"id":"req_2bQd9mXf4kLr7T","idempotency_key":null},"type":"customer.updated"}`
)

func newStripe(env Env) *stripe.Client {
	cfg := &stripe.BackendConfig{URL: stripe.String(env.BaseURL)}
	if env.Transport != nil {
		// Its own client has this timeout.
		cfg.HTTPClient = &http.Client{Timeout: 80 * time.Second, Transport: env.Transport}
	}
	return stripe.NewClient("sk_test_"+token, stripe.WithBackends(stripe.NewBackendsWithConfig(cfg)))
}
