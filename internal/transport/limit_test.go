package transport

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A request that is refused is neither sent nor observed, and its body is
// closed, as a round tripper must.
func TestRefusalClosesTheBody(t *testing.T) {
	refusal := errors.New("refused")
	l := &Limit{
		Wait:    func(context.Context) error { return refusal },
		Observe: func(*http.Response, bool) { t.Error("observed") },
	}
	body := &closer{Reader: strings.NewReader("{}")}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://api.example.com/v1/x", body)
	require.NoError(t, err)
	_, err = l.RoundTrip(req)
	require.ErrorIs(t, err, refusal)
	require.False(t, Mendable(err))
	require.True(t, body.closed)

	req.Body = nil
	_, err = l.RoundTrip(req)
	require.ErrorIs(t, err, refusal)
}

// A request whose token has expired meanwhile is observed, as it had its turn,
// and not sent; its body is closed, too.
func TestExpiryClosesTheBody(t *testing.T) {
	observed := 0
	l := &Limit{
		Wait:    func(context.Context) error { return nil },
		Observe: func(answer *http.Response, sent bool) { observed++; require.Nil(t, answer); require.False(t, sent) },
	}
	call := NewCall(t.Context(), http.MethodPost, nil)
	call.expires = time.Now()
	body := &closer{Reader: strings.NewReader("{}")}
	req, err := http.NewRequestWithContext(call, http.MethodPost, "https://api.example.com/v1/x", body)
	require.NoError(t, err)
	_, err = l.RoundTrip(req)
	require.ErrorIs(t, err, errExpired)
	require.True(t, body.closed)
	require.Equal(t, 1, observed)
}

type closer struct {
	io.Reader
	closed bool
}

func (c *closer) Close() error {
	c.closed = true
	return nil
}
