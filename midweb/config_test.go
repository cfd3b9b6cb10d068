package midweb

import (
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

func goodConfig() Config {
	return Config{
		Keys:     [][]byte{testKey},
		SignedIn: func(http.ResponseWriter, *http.Request, *mid.AuthenticationResult) {},
	}
}

func newClient(t *testing.T) *mid.Client {
	t.Helper()
	client, err := mid.NewClient("id", "secret")
	require.NoError(t, err)
	return client
}

func TestConfigIsChecked(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"Keys is empty":            func(c *Config) { c.Keys = nil },
		"Keys[1] is too short":     func(c *Config) { c.Keys = append(c.Keys, []byte("short")) },
		"SignedIn is nil":          func(c *Config) { c.SignedIn = nil },
		"Intent is invalid":        func(c *Config) { c.Intent = "pay; now" },
		"Origin must be an origin": func(c *Config) { c.Origin = "https://shop.example/" },
		"Origin is plain http":     func(c *Config) { c.Origin = "http://shop.example" },
		"CallbackURL must be":      func(c *Config) { c.CallbackURL = "/mid/events" },
		"Next must be a path":      func(c *Config) { c.Next = "https://evil.example" },
		"Brake.Share is not":       func(c *Config) { c.Brake.Share = 2 },
		"Brake.TrustedProxies is":  func(c *Config) { c.Brake.TrustedProxies = -1 },
		"Poll has a negative":      func(c *Config) { c.Poll.MinInterval = -time.Second },
		`a text for "hedding"`:     func(c *Config) { c.Texts = map[string]map[string]string{"en": {"hedding": "Hi"}} },
	} {
		cfg := goodConfig()
		change(&cfg)
		_, err := New(newClient(t), cfg)
		require.ErrorAs(t, err, new(*mid.ValidationError), want)
		assert.ErrorContains(t, err, want)
	}
	_, err := New(nil, goodConfig())
	require.ErrorAs(t, err, new(*mid.ValidationError))

	cfg := goodConfig()
	cfg.Templates = template.Must(template.New("").Parse(`{{define "footer"}}{{template "missing"}}{{end}}`))
	_, err = New(newClient(t), cfg)
	assert.ErrorContains(t, err, "missing", "a template that does not fit is found at once")
}

func TestConfigOrigins(t *testing.T) {
	for origin, prefix := range map[string]string{
		"":                            "__Host-",
		"https://shop.example":        "__Host-",
		"https://127.0.0.1:8443":      "__Host-",
		"http://127.0.0.1:8080":       "",
		"http://localhost:8080":       "",
		"http://[::1]:8080":           "",
		"http://shop.localhost:8080":  "",
		"http://localhost.evil:8080":  "refused",
		"http://192.0.2.1":            "refused",
		"ftp://shop.example":          "refused",
		"https://shop.example?x":      "refused",
		"https://user@shop.example":   "refused",
		"https://shop.example/signin": "refused",
	} {
		cfg := goodConfig()
		cfg.Origin = origin
		s, err := New(newClient(t), cfg)
		if prefix == "refused" {
			assert.Error(t, err, origin)
			continue
		}
		require.NoError(t, err, origin)
		assert.True(t, strings.HasPrefix(s.flows.name, prefix+"midweb-login"), s.flows.name)
		assert.True(t, strings.HasPrefix(s.begins.tickets.name, prefix+"midweb-login"), s.begins.tickets.name)
		s.Close()
	}
}

func TestConfigPoll(t *testing.T) {
	for name, test := range map[string]struct {
		poll     mid.PollOptions
		callback string
		want     mid.PollOptions
	}{
		"polling":      {mid.PollOptions{}, "", mid.PollOptions{MinInterval: time.Second, MaxInterval: 2 * time.Second}},
		"with events":  {mid.PollOptions{}, "https://shop.example/", mid.PollOptions{MinInterval: 2 * time.Second, MaxInterval: 6 * time.Second}},
		"only a most":  {mid.PollOptions{MaxInterval: time.Millisecond}, "", mid.PollOptions{MinInterval: time.Millisecond, MaxInterval: time.Millisecond}},
		"only a least": {mid.PollOptions{MinInterval: time.Minute}, "", mid.PollOptions{MinInterval: time.Minute, MaxInterval: time.Minute}},
	} {
		cfg := goodConfig()
		cfg.Poll, cfg.CallbackURL = test.poll, test.callback
		cfg, err := cfg.withDefaults()
		require.NoError(t, err)
		assert.Equal(t, test.want, cfg.Poll, name)
	}
}

func TestNothingIsPrinted(t *testing.T) {
	cfg := goodConfig()
	s, err := New(newClient(t), cfg)
	require.NoError(t, err)
	defer s.Close()
	person := Person{Recipient: "+14155550123", Metadata: map[string]string{"city": "Lisbon"}}
	for _, v := range []any{cfg, &cfg, s, person, &person, []Person{person}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			text := fmt.Sprintf(verb, v)
			for _, secret := range []string{string(testKey), "97 32 107", "6120", "4155550123", "Lisbon"} {
				assert.NotContains(t, text, secret, verb)
			}
		}
	}
	var b strings.Builder
	slog.New(slog.NewTextHandler(&b, nil)).Info("all", slog.Any("config", cfg), slog.Any("person", person), slog.Any("signin", s))
	assert.Contains(t, b.String(), `config=midweb.Config{…} person=midweb.Person{…} signin=midweb.SignIn{…}`)
}
