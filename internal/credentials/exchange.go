// Package credentials gets access tokens by the OAuth 2.0 client credentials
// grant, in MID's JSON form, and keeps them.
package credentials

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

// Request is the body of a token request.
func Request(clientID, clientSecret string) ([]byte, error) {
	return json.Marshal(struct {
		ClientID     string `json:"client_id"`
		ClientSecret string `json:"client_secret"`
		GrantType    string `json:"grant_type"`
	}{clientID, clientSecret, "client_credentials"})
}

// The errors of [Parse]. None quotes the answer, which may hold the token.
var (
	ErrNotJSON   = errors.New("the token endpoint's answer is not the JSON expected")
	ErrNoToken   = errors.New("the token endpoint's answer has no access_token")
	ErrTokenType = errors.New("the token endpoint's answer has a token_type other than Bearer")
	ErrBadToken  = errors.New("the token endpoint's access_token has characters that no header may hold")
)

// Parse reads the answer of a token request that was sent at the time sent:
// in the envelope, or bare as RFC 6749 section 5.1 has it. A token without
// expires_in has the zero Expiry: it is good until it is refused.
func Parse(answer []byte, sent time.Time) (*oauth2.Token, error) {
	type token struct {
		AccessToken string          `json:"access_token"`
		TokenType   string          `json:"token_type"`
		ExpiresIn   json.RawMessage `json:"expires_in"`
	}
	var body struct {
		token
		Data *token `json:"data"`
	}
	if err := json.Unmarshal(answer, &body); err != nil {
		return nil, ErrNotJSON
	}
	t := body.token
	if body.Data != nil {
		t = *body.Data
	}
	switch {
	case t.AccessToken == "":
		return nil, ErrNoToken
	case !Sendable(t.AccessToken):
		return nil, ErrBadToken
	case t.TokenType != "" && !strings.EqualFold(t.TokenType, "Bearer"):
		return nil, ErrTokenType
	}
	out := &oauth2.Token{AccessToken: t.AccessToken, TokenType: "Bearer"}
	// Some servers send the number as a string.
	s, err := strconv.ParseFloat(strings.Trim(string(t.ExpiresIn), `"`), 64)
	if err == nil && s > 0 && s < maxLifetime.Seconds() {
		out.Expiry = sent.Add(time.Duration(s * float64(time.Second)))
	}
	return out, nil
}

// Sendable reports whether a token is made of visible ASCII alone.
func Sendable(token string) bool {
	return !strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' })
}

// maxLifetime is where a lifetime is taken for endless, and safe to calculate
// with.
const maxLifetime = 100 * 365 * 24 * time.Hour
