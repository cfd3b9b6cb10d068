package credentials

import (
	"context"
	"sync/atomic"

	"golang.org/x/oauth2"
)

// Source gets tokens for client credentials that may rotate.
type Source struct {
	// Ask returns the current credentials.
	Ask func(ctx context.Context) (clientID, clientSecret string, err error)
	// Request sends one token request with the given body.
	Request func(ctx context.Context, body []byte) (*oauth2.Token, error)
	// Refused reports whether an error of Request says that the server does not
	// know the credentials.
	Refused func(err error) bool

	latest atomic.Pointer[pair]
}

// pair is what a token request is made of. It is compared as a whole.
type pair struct{ clientID, clientSecret string }

// Secret returns the client secret of the latest token request, or "" before the
// first.
func (s *Source) Secret() string {
	if p := s.latest.Load(); p != nil {
		return p.clientSecret
	}
	return ""
}

// Token asks for the credentials and exchanges them. If the server refuses
// them, it asks once more, because they may have been replaced since; it
// repeats the exchange only if they have.
func (s *Source) Token(ctx context.Context) (*oauth2.Token, error) {
	first, err := s.ask(ctx)
	if err != nil {
		return nil, err
	}
	token, err := s.exchange(ctx, first)
	if err == nil || !s.Refused(err) {
		return token, err
	}
	second, askErr := s.ask(ctx)
	if askErr != nil || second == first {
		return nil, err
	}
	return s.exchange(ctx, second)
}

func (s *Source) ask(ctx context.Context) (p pair, err error) {
	p.clientID, p.clientSecret, err = s.Ask(ctx)
	return p, err
}

func (s *Source) exchange(ctx context.Context, p pair) (*oauth2.Token, error) {
	s.latest.Store(&p)
	body, err := Request(p.clientID, p.clientSecret)
	if err != nil {
		return nil, err
	}
	return s.Request(ctx, body)
}
