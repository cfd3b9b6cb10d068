package bench

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// floorContestant is the least that a program does by hand.
var floorContestant = Contestant{
	Name:    Floor,
	Note:    "net/http and encoding/json by hand: a bearer header, io.ReadAll, json.Unmarshal",
	Answer:  widgetAnswer,
	Get:     floorCall(http.MethodGet, 0),
	Post:    floorCall(http.MethodPost, 0),
	Target:  func() any { return new(widget) },
	Webhook: floorWebhook,
}

// floorTimeoutContestant tells what the simplest bound on a call's time costs,
// which most of the others have in some form.
var floorTimeoutContestant = Contestant{
	Name:   "raw+timeout",
	Note:   "raw with http.Client.Timeout",
	Answer: widgetAnswer,
	Get:    floorCall(http.MethodGet, time.Minute),
	Post:   floorCall(http.MethodPost, time.Minute),
}

// widget is the made-up resource of the contestants that have no API of their
// own.
type widget struct {
	ID          string            `json:"id"`
	Object      string            `json:"object"`
	Name        string            `json:"name"`
	Description string            `json:"description"`
	Status      string            `json:"status"`
	Owner       widgetOwner       `json:"owner"`
	Tags        []string          `json:"tags"`
	Metadata    map[string]string `json:"metadata"`
	Count       int               `json:"count"`
	Price       float64           `json:"price"`
	Enabled     bool              `json:"enabled"`
	CreatedAt   time.Time         `json:"created_at"`
	UpdatedAt   time.Time         `json:"updated_at"`
}

type widgetOwner struct {
	ID    string `json:"id"`
	Email string `json:"email"`
}

type widgetParams struct {
	Name        string            `json:"name"`
	Description string            `json:"description"`
	Email       string            `json:"email"`
	Metadata    map[string]string `json:"metadata,omitempty"`
}

const (
	widgetID     = "wid_1Mx7ZqLkdIwHu7ix"
	widgetAnswer = `{"id":"` + widgetID + `","object":"widget","name":"example widget","description":"%PAD%","status":"active","owner":{"id":"usr_9sTpQ2","email":"noor.haddad@example.com"},"tags":["alpha","beta"],"metadata":{"team":"core","region":"eu-1"},"count":42,"price":12.5,"enabled":true,"created_at":"2026-01-02T03:04:05Z","updated_at":"2026-02-03T04:05:06Z"}`
	widgetEvent  = `{"id":"evt_1Mx7ZqLkdIwHu7ix","type":"widget.updated","created":"2026-02-03T04:05:06Z","data":{"object":` + widgetAnswer + `}}`
)

// widgetPath and widgetBody are the call of a method; a GET has no body.
func widgetPath(method string) string {
	if method == http.MethodGet {
		return "/v1/widgets/" + widgetID
	}
	return "/v1/widgets"
}

func widgetBody(method string) ([]byte, error) {
	if method == http.MethodGet {
		return nil, nil
	}
	return json.Marshal(widgetParams{
		Name: createName, Description: createDesc, Email: createMail,
		Metadata: map[string]string{"team": "core"},
	})
}

func widgetRequest(ctx context.Context, method, baseURL string) (*http.Request, error) {
	data, err := widgetBody(method)
	if err != nil {
		return nil, err
	}
	var body io.Reader // a nil interface if there is none
	if data != nil {
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, baseURL+widgetPath(method), body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	if data != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

func readWidget(resp *http.Response) error {
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d: %s", resp.StatusCode, data)
	}
	var w widget
	if err := json.Unmarshal(data, &w); err != nil {
		return err
	}
	return want(w.ID, widgetID)
}

func floorCall(method string, timeout time.Duration) Maker {
	return func(env Env) (Op, error) {
		client := env.client()
		client.Timeout = timeout
		return func(ctx context.Context) error {
			req, err := widgetRequest(ctx, method, env.BaseURL)
			if err != nil {
				return err
			}
			req.Header.Set("Authorization", "Bearer "+token)
			resp, err := client.Do(req)
			if err != nil {
				return err
			}
			return readWidget(resp)
		}, nil
	}
}

type hookEvent struct {
	ID      string    `json:"id"`
	Type    string    `json:"type"`
	Created time.Time `json:"created"`
	Data    struct {
		Object widget `json:"object"`
	} `json:"data"`
}

func readEvent(body []byte) error {
	var event hookEvent
	if err := json.Unmarshal(body, &event); err != nil {
		return err
	}
	return want(event.Data.Object.ID, widgetID)
}

func hexMAC(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

func floorWebhook() (Op, error) {
	body := []byte(pad(widgetEvent, EventSize))
	header := "sha256=" + hexMAC(hookSecret, body)
	secret := []byte(hookSecret)
	return func(context.Context) error {
		signature, err := hex.DecodeString(strings.TrimPrefix(header, "sha256="))
		if err != nil {
			return err
		}
		mac := hmac.New(sha256.New, secret)
		mac.Write(body)
		if !hmac.Equal(signature, mac.Sum(nil)) {
			return errors.New("wrong signature")
		}
		return readEvent(body)
	}, nil
}
