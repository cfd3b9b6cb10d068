package credentials

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"
)

var errRefused = errors.New("invalid_client")

// server knows one secret, and counts the token requests.
type server struct {
	secret   string
	requests int
	err      error
}

func (s *server) request(_ context.Context, body []byte) (*oauth2.Token, error) {
	s.requests++
	if s.err != nil {
		return nil, s.err
	}
	want, err := Request("shop", s.secret)
	if err != nil || string(body) != string(want) {
		return nil, errRefused
	}
	return &oauth2.Token{AccessToken: "of " + s.secret}, nil
}

func (s *server) source(ask func(n int) (string, error)) (src *Source, asked *int) {
	asked = new(int)
	return &Source{
		Request: s.request,
		Refused: func(err error) bool { return errors.Is(err, errRefused) },
		Ask: func(context.Context) (string, string, error) {
			*asked++
			secret, err := ask(*asked)
			return "shop", secret, err
		},
	}, asked
}

// Refused credentials are asked for once more, and the exchange is repeated,
// once, if they have changed.
func TestRefusedCredentials(t *testing.T) {
	gone := errors.New("the file is gone")
	for name, test := range map[string]struct {
		ask             func(n int) (string, error)
		err             error
		asked, requests int
		secret          string
	}{
		"good":             {func(int) (string, error) { return "new", nil }, nil, 1, 1, "new"},
		"replaced":         {func(n int) (string, error) { return []string{"old", "new"}[n-1], nil }, nil, 2, 2, "new"},
		"the same":         {func(int) (string, error) { return "old", nil }, errRefused, 2, 1, "old"},
		"wrong again":      {func(n int) (string, error) { return fmt.Sprint("old", n), nil }, errRefused, 2, 2, "old2"},
		"not to be had":    {func(int) (string, error) { return "", gone }, gone, 1, 0, ""},
		"gone in between":  {func(n int) (string, error) { return "old", []error{nil, gone}[n-1] }, errRefused, 2, 1, "old"},
		"another's error ": {func(int) (string, error) { return "new", nil }, context.DeadlineExceeded, 1, 1, "new"},
	} {
		s := &server{secret: "new"}
		if test.err == context.DeadlineExceeded {
			s.err = test.err
		}
		src, asked := s.source(test.ask)
		require.Empty(t, src.Secret())
		token, err := src.Token(t.Context())
		require.ErrorIs(t, err, test.err, name)
		require.Equal(t, test.err == nil, token != nil, name)
		require.Equal(t, []int{test.asked, test.requests}, []int{*asked, s.requests}, name)
		require.Equal(t, test.secret, src.Secret(), name)
	}
}
