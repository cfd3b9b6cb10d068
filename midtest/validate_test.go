package midtest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/mobid-io/mid-go"
)

func TestCallbackURLsThatAreFine(t *testing.T) {
	c := start(t)
	for _, url := range []string{
		"http://localhost", "HTTPS://shop.example.com:65535/hooks/mid?a=%20b&c=[1]#x", "http://[::1]:8700/a;b,c/%C3%BC", "https://user@shop.example.com/",
	} {
		assert.Equal(t, 201, c.post("/auth/sessions", mid.CreateAuthSessionParams{Intent: mid.IntentLogin, CallbackURL: url}).status, url)
	}
}
