package bench

import (
	"context"
	"fmt"

	"github.com/google/go-github/v92/github"
)

var githubContestant = Contestant{
	Name:   "go-github",
	Note:   "github.NewClient(WithAuthToken, WithURLs); Repositories.Get and Create; webhook: ValidateSignature and ParseWebHook",
	Answer: repositoryAnswer,
	Get: func(env Env) (Op, error) {
		client, err := newGitHub(env)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context) error {
			r, _, err := client.Repositories.Get(ctx, "octocat", "Hello-World")
			if err != nil {
				return err
			}
			return want(r.GetFullName(), repositoryName)
		}, nil
	},
	Post: func(env Env) (Op, error) {
		client, err := newGitHub(env)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context) error {
			r, _, err := client.Repositories.Create(ctx, "octo-org", &github.Repository{
				Name:        github.Ptr(createName),
				Description: github.Ptr(createDesc),
				Homepage:    github.Ptr("https://example.com"),
				Private:     github.Ptr(true),
				HasIssues:   github.Ptr(true),
			})
			if err != nil {
				return err
			}
			return want(r.GetFullName(), repositoryName)
		}, nil
	},
	Target: func() any { return new(github.Repository) },
	Webhook: func() (Op, error) {
		body := []byte(pad(starEvent, EventSize))
		secret := []byte(hookSecret)
		signature := "sha256=" + hexMAC(hookSecret, body)
		return func(context.Context) error {
			if err := github.ValidateSignature(signature, body, secret); err != nil {
				return err
			}
			event, err := github.ParseWebHook("star", body)
			if err != nil {
				return err
			}
			star, ok := event.(*github.StarEvent)
			if !ok {
				return fmt.Errorf("the event is a %T", event)
			}
			return want(star.GetRepo().GetFullName(), repositoryName)
		}, nil
	},
}

const (
	repositoryName   = "octocat/Hello-World"
	repositoryAnswer = `{"id":1296269,"node_id":"MDEwOlJlcG9zaXRvcnkxMjk2MjY5","name":"Hello-World","full_name":"octocat/Hello-World","owner":{"login":"octocat","id":1,"type":"User"},"private":false,"html_url":"https://github.com/octocat/Hello-World","description":"%PAD%","fork":false,"created_at":"2011-01-26T19:01:12Z","updated_at":"2026-01-26T19:14:43Z","stargazers_count":80,"language":"Go","default_branch":"main","topics":["go","api"],"visibility":"public"}`
	starEvent        = `{"action":"created","starred_at":"2026-02-03T04:05:06Z","repository":{"id":1296269,"node_id":"MDEwOlJlcG9zaXRvcnkxMjk2MjY5","name":"Hello-World","full_name":"octocat/Hello-World","owner":{"login":"octocat","id":1,"type":"User"},"private":false,"html_url":"https://github.com/octocat/Hello-World","description":"%PAD%","fork":false,"stargazers_count":80,"default_branch":"main"},"sender":{"login":"octocat","id":1,"node_id":"MDQ6VXNlcjE=","type":"User","site_admin":false}}`
)

func newGitHub(env Env) (*github.Client, error) {
	base := env.BaseURL + "/"
	opts := []github.ClientOptionsFunc{github.WithAuthToken(token), github.WithURLs(&base, nil)}
	if env.Transport != nil {
		opts = append(opts, github.WithTransport(env.Transport))
	}
	return github.NewClient(opts...)
}
