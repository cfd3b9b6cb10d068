// Package credentials gets access tokens by the OAuth 2.0 client credentials
// grant, in MID's JSON form, and keeps them.
package credentials

import (
	"bytes"
	"cmp"
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

// The errors of [Parse]. They quote nothing of the answer, which may hold the
// token.
var (
	errNotJSON   = errors.New("the token endpoint's answer is not the JSON expected")
	errNoToken   = errors.New("the token endpoint's answer has no access_token")
	errTokenType = errors.New("the token endpoint's answer has a token_type other than Bearer")
	errBadToken  = errors.New("the token endpoint's access_token has characters that no header may hold")
)

// snake has the contract's names, camel the other spelling that is understood.
type (
	snake struct {
		AccessToken string          `json:"access_token"`
		TokenType   string          `json:"token_type"`
		ExpiresIn   json.RawMessage `json:"expires_in"`
	}
	camel struct {
		AccessToken string          `json:"accessToken"`
		TokenType   string          `json:"tokenType"`
		ExpiresIn   json.RawMessage `json:"expiresIn"`
	}
)

const byteOrderMark = "\uFEFF"

// Parse reads the answer of a token request: in the envelope, or bare as RFC
// 6749 section 5.1 has it. The token's life counts, on the wall clock, from the
// time at which the request left. A token without expires_in has the zero
// Expiry: it is good until it is refused.
func Parse(answer []byte, left time.Time) (*oauth2.Token, error) {
	type token struct {
		snake
		camel
	}
	var body struct {
		token
		Data *token `json:"data"`
	}
	if err := json.Unmarshal(bytes.TrimPrefix(answer, []byte(byteOrderMark)), &body); err != nil {
		return nil, errNotJSON
	}
	t := body.token
	if body.Data != nil {
		t = *body.Data
	}
	access := cmp.Or(t.snake.AccessToken, t.camel.AccessToken)
	kind := cmp.Or(t.snake.TokenType, t.camel.TokenType)
	switch {
	case access == "":
		return nil, errNoToken
	case !Sendable(access):
		return nil, errBadToken
	case kind != "" && !strings.EqualFold(kind, "Bearer"):
		return nil, errTokenType
	}
	out := &oauth2.Token{AccessToken: access, TokenType: "Bearer"}
	lifetime := t.snake.ExpiresIn
	if lifetime == nil {
		lifetime = t.camel.ExpiresIn
	}
	// Some servers send the number as a string.
	s, err := strconv.ParseFloat(strings.Trim(string(lifetime), `"`), 64)
	if err == nil && s > 0 && s < maxLifetime.Seconds() {
		out.Expiry = left.Round(0).Add(time.Duration(s * float64(time.Second)))
	}
	return out, nil
}

// Sendable reports whether a token is made of visible ASCII only.
func Sendable(token string) bool {
	return !strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' })
}

// maxLifetime is where a lifetime is taken for endless, and safe to calculate
// with.
const maxLifetime = 100 * 365 * 24 * time.Hour
