package transport

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A request that is refused is neither sent nor observed, and its body is
// closed, as a round tripper must.
func TestRefusalClosesTheBody(t *testing.T) {
	refusal := errors.New("refused")
	l := &Limit{
		Wait:    func(context.Context) error { return refusal },
		Observe: func(*http.Response) { t.Error("observed") },
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

type closer struct {
	io.Reader
	closed bool
}

func (c *closer) Close() error {
	c.closed = true
	return nil
}
