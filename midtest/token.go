package midtest

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/mobid-io/mid-go"
)

const (
	tokenPath = "/auth/token"
	grantType = "client_credentials"
)

type tokenResponse struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int64  `json:"expires_in"` // seconds
}

// RevokeTokens makes all tokens so far answer 401 unauthorized.
func (s *Server) RevokeTokens() {
	s.tokens.mu.Lock()
	defer s.tokens.mu.Unlock()
	clear(s.tokens.expiry)
}

func (s *Server) createToken(o object) (any, error) {
	id, secret := o.required("client_id", notEmpty), o.required("client_secret", notEmpty)
	o.required("grant_type", oneOf(grantType))
	if err := o.invalid(); err != nil {
		return nil, err
	}
	if id != s.ClientID || secret != s.ClientSecret {
		// Without a word that tests take for a secret: the client would take it out.
		return nil, newProblem(mid.CodeInvalidClient, "the credentials are of no account")
	}
	lifetime := s.options.tokenLifetime
	return tokenResponse{
		AccessToken: s.tokens.issue(lifetime),
		TokenType:   "Bearer",
		ExpiresIn:   int64(lifetime / time.Second),
	}, nil
}

type tokens struct {
	mu     sync.Mutex
	expiry map[string]time.Time
}

func (t *tokens) issue(lifetime time.Duration) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	token := newID("token")
	t.expiry[token] = time.Now().Add(lifetime)
	return token
}

// check returns the contract's 401 unless the Authorization header holds a
// token that is alive. A dead one is forgotten.
func (t *tokens) check(authorization string) error {
	scheme, token, _ := strings.Cut(authorization, " ")
	t.mu.Lock()
	defer t.mu.Unlock()
	expiry, known := t.expiry[token]
	if known && strings.EqualFold(scheme, "Bearer") && time.Now().Before(expiry) {
		return nil
	}
	if known && !time.Now().Before(expiry) {
		delete(t.expiry, token)
	}
	p := newProblem(mid.CodeUnauthorized, "the access token is missing, unknown, expired or revoked")
	p.header = http.Header{"Www-Authenticate": {"Bearer"}}
	return p
}
