package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"golang.org/x/oauth2"

	"github.com/mobid-io/mid-go"
)

// The SDK as a service runs it: retries, a cached token, pacing by the rate
// limit headers, and a log line for every wire send.
var midContestant = Contestant{
	Name:    "mid",
	Note:    "mid.NewClient with its defaults, a token source and a logger at Info that writes text to io.Discard; GetSession, CreateSession; webhook: Parse and Event.AuthSession",
	Answer:  sessionAnswer,
	Get:     midGet(false, withLogger),
	Post:    midPost(withLogger),
	Target:  func() any { return new(sessionEnvelope) },
	Webhook: midWebhook,
}

var midResponseContestant = Contestant{
	Name:   "mid+response",
	Note:   "mid with mid.WithResponse on the call",
	Answer: sessionAnswer,
	Get:    midGet(true, withLogger),
}

var midBareContestant = Contestant{
	Name:   "mid-bare",
	Note:   "mid without a logger",
	Answer: sessionAnswer,
	Get:    midGet(false, nil),
	Post:   midPost(nil),
}

const (
	sessionID = "sess_1Mx7ZqLkdIwHu7ix"
	// session is what GET /auth/sessions/{id} answers; the QR code is where a
	// session is long.
	session       = `{"id":"` + sessionID + `","status":"approved","intent":"login","qr_code":"data:image/png;base64,%PAD%","qr_data":"mid://auth?session=` + sessionID + `","user_id":"usr_9sTpQ2","method":"face","created_at":"2026-01-02T03:04:05Z","expires_at":"2026-01-02T03:09:05Z","metadata":{"team":"core"}}`
	sessionAnswer = `{"success":true,"data":` + session + `,"meta":{"request_id":"req_2bQd9mXf4kLr7T","timestamp":"2026-01-02T03:04:05Z"}}`
)

// sessionEnvelope is what the SDK decodes of an answer, spelled out.
type sessionEnvelope struct {
	Success bool             `json:"success"`
	Data    *mid.AuthSession `json:"data"`
	Meta    struct {
		RequestID string `json:"request_id"`
		Timestamp string `json:"timestamp"`
	} `json:"meta"`
}

// staticToken is a token source that needs no server.
type staticToken struct{}

func (staticToken) Token(context.Context) (*oauth2.Token, error) {
	return &oauth2.Token{AccessToken: token, TokenType: "Bearer", Expiry: time.Now().Add(time.Hour)}, nil
}

func withLogger() mid.Option {
	return mid.WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil)))
}

func newMID(env Env, opts ...mid.Option) (*mid.Client, error) {
	opts = append(opts, mid.WithBaseURL(env.BaseURL+"/v1"), mid.WithTokenSource(staticToken{}))
	if env.Transport != nil {
		opts = append(opts, mid.WithHTTPClient(&http.Client{Transport: env.Transport}))
	}
	return mid.NewClient("", "", opts...)
}

func midOptions(extra func() mid.Option) []mid.Option {
	if extra == nil {
		return nil
	}
	return []mid.Option{extra()}
}

func midGet(capture bool, extra func() mid.Option) Maker {
	return func(env Env) (Op, error) {
		client, err := newMID(env, midOptions(extra)...)
		if err != nil {
			return nil, err
		}
		if !capture {
			return func(ctx context.Context) error {
				s, err := client.Authentication.GetSession(ctx, sessionID)
				if err != nil {
					return err
				}
				return want(s.ID, sessionID)
			}, nil
		}
		return func(ctx context.Context) error {
			var r mid.Response
			s, err := client.Authentication.GetSession(ctx, sessionID, mid.WithResponse(&r))
			if err != nil {
				return err
			}
			if r.Attempts != 1 || len(r.Data) == 0 || r.RateLimit.Limit == 0 {
				return fmt.Errorf("the response is not filled: %d attempts", r.Attempts)
			}
			return want(s.ID, sessionID)
		}, nil
	}
}

func midPost(extra func() mid.Option) Maker {
	return func(env Env) (Op, error) {
		client, err := newMID(env, midOptions(extra)...)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context) error {
			s, err := client.Authentication.CreateSession(ctx, mid.CreateAuthSessionParams{
				Intent:      mid.IntentLogin,
				Recipient:   "+14155550123",
				CallbackURL: "https://shop.example.com/mid/events",
				Metadata:    map[string]string{"team": "core"},
			})
			if err != nil {
				return err
			}
			return want(s.ID, sessionID)
		}, nil
	}
}

func midWebhook() (Op, error) {
	hooks, err := mid.NewWebhookService(mid.WebhookConfig{Secrets: []string{hookSecret}})
	if err != nil {
		return nil, err
	}
	now, err := json.Marshal(time.Now().UnixMilli())
	if err != nil {
		return nil, err
	}
	body := []byte(pad(`{"id":"evt_1Mx7ZqLkdIwHu7ix","type":"authentication.completed","timestamp":`+string(now)+`,"data":`+session+`}`, EventSize))
	header := http.Header{}
	header.Set(mid.SignatureHeader, hooks.Sign(body))
	return func(context.Context) error {
		event, err := hooks.Parse(body, header)
		if err != nil {
			return err
		}
		s, err := event.AuthSession()
		if err != nil {
			return err
		}
		return want(s.ID, sessionID)
	}, nil
}
