package bench

import (
	"context"
	"net/http"
	"strconv"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	svix "github.com/svix/svix-webhooks/go"
)

var standardWebhooksContestant = Contestant{
	Name: "standardwebhooks",
	Note: "webhooks alone: Verify of the Standard Webhooks library, then raw's json.Unmarshal",
	Webhook: func() (Op, error) {
		hooks, err := standardwebhooks.NewWebhook(hookSecret)
		if err != nil {
			return nil, err
		}
		return standardOp(hooks.Verify)
	},
}

var svixContestant = Contestant{
	Name: "svix-go",
	Note: "webhooks alone: Verify of svix-webhooks, then raw's json.Unmarshal",
	Webhook: func() (Op, error) {
		hooks, err := svix.NewWebhook(hookSecret)
		if err != nil {
			return nil, err
		}
		return standardOp(hooks.Verify)
	},
}

func standardOp(verify func([]byte, http.Header) error) (Op, error) {
	body := []byte(pad(widgetEvent, EventSize))
	header, err := standardHeader(body)
	if err != nil {
		return nil, err
	}
	return func(context.Context) error {
		if err := verify(body, header); err != nil {
			return err
		}
		return readEvent(body)
	}, nil
}

// standardHeader signs body in the Standard Webhooks form, as of now.
func standardHeader(body []byte) (http.Header, error) {
	hooks, err := standardwebhooks.NewWebhook(hookSecret)
	if err != nil {
		return nil, err
	}
	const id = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	now := time.Now()
	signature, err := hooks.Sign(id, now, body)
	if err != nil {
		return nil, err
	}
	header := http.Header{}
	header.Set(standardwebhooks.HeaderWebhookID, id)
	header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	header.Set(standardwebhooks.HeaderWebhookSignature, signature)
	return header, nil
}
