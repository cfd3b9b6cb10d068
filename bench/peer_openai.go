package bench

import (
	"context"
	"net/http"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/shared"
)

var openaiContestant = Contestant{
	Name:       "openai-go",
	Note:       "openai.NewClient(WithAPIKey, WithBaseURL); Models.Get and VectorStores.New; webhook: Webhooks.Unwrap of a flat event",
	Answer:     modelAnswer,
	PostAnswer: storeAnswer,
	Get: func(env Env) (Op, error) {
		client := newOpenAI(env)
		return func(ctx context.Context) error {
			m, err := client.Models.Get(ctx, modelID)
			if err != nil {
				return err
			}
			return want(m.ID, modelID)
		}, nil
	},
	Post: func(env Env) (Op, error) {
		client := newOpenAI(env)
		return func(ctx context.Context) error {
			s, err := client.VectorStores.New(ctx, openai.VectorStoreNewParams{
				Name:        openai.String(createName),
				Description: openai.String(createDesc),
				Metadata:    shared.Metadata{"team": "core", "email": createMail},
			})
			if err != nil {
				return err
			}
			return want(s.ID, storeID)
		}, nil
	},
	Target: func() any { return new(openai.Model) },
	Webhook: func() (Op, error) {
		body := []byte(pad(batchEvent, EventSize))
		header, err := standardHeader(body)
		if err != nil {
			return nil, err
		}
		client := newOpenAI(Env{BaseURL: nowhere})
		return func(context.Context) error {
			event, err := client.Webhooks.Unwrap(body, header)
			if err != nil {
				return err
			}
			return want(event.Type, "batch.completed")
		}, nil
	},
}

const (
	modelID     = "gpt-4o-mini"
	storeID     = "vs_abc123"
	modelAnswer = `{"id":"` + modelID + `","object":"model","created":1686935002,"owned_by":"system","permission":[{"id":"modelperm-LwHkVFn8AcMItP432fKKDIKJ","object":"model_permission","created":1686935002,"allow_create_engine":false,"allow_sampling":true,"allow_logprobs":true,"allow_view":true,"allow_fine_tuning":false,"organization":"*","is_blocking":false}],"root":"gpt-4o-mini","parent":null,"description":"%PAD%"}`
	storeAnswer = `{"id":"` + storeID + `","object":"vector_store","created_at":1699061776,"name":"example widget","description":"%PAD%","usage_bytes":139920,"file_counts":{"in_progress":0,"completed":3,"failed":0,"cancelled":0,"total":3},"status":"completed","expires_after":{"anchor":"last_active_at","days":7},"expires_at":1699666576,"last_active_at":1699061776,"metadata":{"team":"core","region":"eu-1"}}`
	batchEvent  = `{"id":"evt_685343a1381c819085d44c354e1b330e","object":"event","created_at":1750287018,"type":"batch.completed","data":{"id":"batch_685343a1381c819085d44c354e1b330e %PAD%"}}`
)

func newOpenAI(env Env) openai.Client {
	opts := []option.RequestOption{
		option.WithAPIKey("sk-" + token),
		option.WithBaseURL(env.BaseURL + "/v1/"),
		option.WithWebhookSecret(hookSecret),
	}
	if env.Transport != nil {
		opts = append(opts, option.WithHTTPClient(&http.Client{Transport: env.Transport}))
	}
	return openai.NewClient(opts...)
}
