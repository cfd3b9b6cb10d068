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

// tokens are the access tokens that are alive.
type tokens struct {
	lifetime    time.Duration
	credentials func() (id, secret string) // that are accepted

	mu     sync.Mutex
	expiry map[string]time.Time
}

func newTokens(lifetime time.Duration, credentials func() (id, secret string)) tokens {
	return tokens{lifetime: lifetime, credentials: credentials, expiry: map[string]time.Time{}}
}

// RevokeTokens makes all tokens so far answer 401 unauthorized.
func (s *tokens) RevokeTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.expiry)
}

func (s *tokens) create(o object) (any, error) {
	id, secret := o.required("client_id", notEmpty), o.required("client_secret", notEmpty)
	o.required("grant_type", oneOf(grantType))
	if err := o.invalid(); err != nil {
		return nil, err
	}
	if wantID, wantSecret := s.credentials(); id != wantID || secret != wantSecret {
		// Without a word that tests take for a secret: the client would take it out.
		return nil, newProblem(mid.CodeInvalidClient, "no account has these credentials")
	}
	return tokenResponse{
		AccessToken: s.issue(),
		TokenType:   "Bearer",
		ExpiresIn:   int64(s.lifetime / time.Second),
	}, nil
}

func (s *tokens) issue() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	token := newID("token")
	s.expiry[token] = time.Now().Add(s.lifetime)
	return token
}

// check returns the contract's 401 unless the Authorization header holds a
// token that is alive. A dead one is forgotten.
func (s *tokens) check(authorization string) error {
	scheme, token, _ := strings.Cut(authorization, " ")
	s.mu.Lock()
	defer s.mu.Unlock()
	expiry, known := s.expiry[token]
	if known && strings.EqualFold(scheme, "Bearer") && time.Now().Before(expiry) {
		return nil
	}
	if known && !time.Now().Before(expiry) {
		delete(s.expiry, token)
	}
	p := newProblem(mid.CodeUnauthorized, "the access token is missing, unknown, expired or revoked")
	p.header = http.Header{"Www-Authenticate": {"Bearer"}}
	return p
}
