package midtest_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

func TestTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := start(t, midtest.WithInMemory(), midtest.WithTokenLifetime(1500*time.Millisecond))
		r := c.post("/auth/token", tokenRequest(c.srv))
		token := data[struct {
			AccessToken string `json:"access_token"`
			TokenType   string `json:"token_type"`
			ExpiresIn   int    `json:"expires_in"`
		}](t, r)
		assert.Equal(t, "Bearer", token.TokenType)
		assert.Equal(t, 2, token.ExpiresIn, "rounded up")

		status := func() int { return c.get("/auth/sessions/sess_unknown").status }
		time.Sleep(2*time.Second - 1)
		assert.Equal(t, 404, status(), "alive")
		time.Sleep(1)
		r = c.get("/auth/sessions/sess_unknown")
		assert.Equal(t, 401, r.status, "expired")
		assert.Equal(t, mid.CodeUnauthorized, r.Error.Code)
		assert.Equal(t, "Bearer", r.header.Get("WWW-Authenticate"))

		c.authorize()
		assert.Equal(t, 404, status())
		c.srv.RevokeTokens()
		assert.Equal(t, 401, status(), "revoked")
		c.authorize()
		assert.Equal(t, 404, status())
		c.token = ""
		assert.Equal(t, 401, status(), "missing")
		assert.Equal(t, 4, c.srv.TokenRequests())
	})
}

func TestAllTokensAreRevoked(t *testing.T) {
	c := start(t)
	first := c.token
	c.authorize()
	c.srv.RevokeTokens()
	for _, token := range []string{first, c.token} {
		c.token = token
		assert.Equal(t, 401, c.get("/auth/sessions/sess_unknown").status)
	}
}

func TestTokensAreBearerTokens(t *testing.T) {
	c := start(t)
	for authorization, status := range map[string]int{
		"Bearer " + c.token: 404,
		"bearer " + c.token: 404, // schemes are case-insensitive, RFC 9110 section 11.1
		"Basic " + c.token:  401,
		" " + c.token:       401,
		c.token:             401,
		"Bearer":            401,
	} {
		req := c.request(http.MethodGet, "/auth/sessions/sess_unknown", nil)
		req.Header.Set("Authorization", authorization)
		assert.Equal(t, status, c.send(req).status, strings.ReplaceAll(authorization, c.token, "…"))
	}
}

func TestTokenRequestsThatFail(t *testing.T) {
	c := start(t)
	wrong := tokenRequest(c.srv)
	wrong["client_secret"] = "not-the-secret"
	r := c.post("/auth/token", wrong)
	assert.Equal(t, 401, r.status)
	assert.Equal(t, mid.CodeInvalidClient, r.Error.Code)
	assert.NotContains(t, string(r.body), "not-the-secret")

	r = c.post("/auth/token", map[string]string{"grant_type": "password"})
	assert.Equal(t, 400, r.status)
	assert.Equal(t, mid.CodeInvalidRequest, r.Error.Code)
	assert.Equal(t, []string{"client_id", "client_secret", "grant_type"}, fields(r))

	r = c.post("/auth/token", "client_id=a", "Content-Type", "application/x-www-form-urlencoded")
	assert.Equal(t, 415, r.status)
	assert.Equal(t, mid.CodeUnsupportedMediaType, r.Error.Code)
}

// The client takes its secret out of what the server says. A test's secret is
// often one of these words, and the message should survive it.
func TestWrongCredentialsAreToldWithoutDummyWords(t *testing.T) {
	c := start(t)
	for _, dummy := range []string{
		"wrong", "bad", "invalid", "incorrect", "secret", "client", "client secret", "client_secret", "test",
		"dummy", "fake", "password", "key", "token", "unknown", "other", "nope",
	} {
		client, err := mid.NewClient("c", dummy, mid.WithBaseURL(c.srv.URL), mid.WithHTTPClient(c.srv.HTTPClient()))
		require.NoError(t, err)
		_, err = client.Authentication.GetSession(t.Context(), "sess_1")
		assert.ErrorContains(t, err, "no account has these credentials", dummy)
	}
}
