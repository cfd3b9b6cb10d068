package bench

import (
	"context"
	"fmt"
	"net/url"

	"github.com/digitalocean/godo"
	"github.com/hashicorp/go-retryablehttp"
	"golang.org/x/oauth2"
)

var godoContestant = Contestant{
	Name:   "godo",
	Note:   "godo.NewFromToken, which is oauth2.Transport over go-retryablehttp, with BaseURL set; Projects.Get and Create",
	Answer: projectAnswer,
	Get: func(env Env) (Op, error) {
		client, err := newGodo(env)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context) error {
			p, _, err := client.Projects.Get(ctx, projectID)
			if err != nil {
				return err
			}
			return want(p.ID, projectID)
		}, nil
	},
	Post: func(env Env) (Op, error) {
		client, err := newGodo(env)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context) error {
			p, _, err := client.Projects.Create(ctx, &godo.CreateProjectRequest{
				Name: createName, Description: createDesc,
				Purpose: "Service or API", Environment: "Production",
			})
			if err != nil {
				return err
			}
			return want(p.ID, projectID)
		}, nil
	},
	Target: func() any {
		return new(struct {
			Project *godo.Project `json:"project"`
		})
	},
}

const (
	projectID     = "4e1bfbc3-dc3e-41f2-a18f-1b4d7ba71679"
	projectAnswer = `{"project":{"id":"` + projectID + `","owner_uuid":"99525febec065ca37b2ffe4f852fd2b2581895e7","owner_id":258992,"name":"my-web-api","description":"%PAD%","purpose":"Service or API","environment":"Production","is_default":false,"created_at":"2026-01-02T03:04:05Z","updated_at":"2026-02-03T04:05:06Z"}}`
)

func newGodo(env Env) (*godo.Client, error) {
	client := godo.NewFromToken(token)
	base, err := url.Parse(env.BaseURL + "/")
	if err != nil {
		return nil, err
	}
	client.BaseURL = base
	if env.Transport == nil {
		return client, nil
	}
	// The transport to be replaced is at the bottom of three.
	auth, ok := client.HTTPClient.Transport.(*oauth2.Transport)
	if !ok {
		return nil, fmt.Errorf("godo has a %T", client.HTTPClient.Transport)
	}
	retry, ok := auth.Base.(*retryablehttp.RoundTripper)
	if !ok {
		return nil, fmt.Errorf("godo has a %T", auth.Base)
	}
	retry.Client.HTTPClient.Transport = env.Transport
	return client, nil
}
