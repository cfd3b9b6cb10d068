package mid_test

import (
	"errors"
	"net"
	"net/http"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// A failure without an answer is a net.Error, as all of package net/http's are,
// also where the cause has no type or is lost with a text that was scrubbed.
func TestFailureWithoutAnswerIsOfTheNetwork(t *testing.T) {
	for name, cause := range map[string]error{
		"without a type":  errors.New("http: server closed idle connection"),
		"of the network":  &net.OpError{Op: "read", Net: "tcp", Err: os.ErrDeadlineExceeded},
		"with the secret": &net.OpError{Op: "dial", Net: testSecret, Err: os.ErrDeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			a := &api{handle: func(*http.Request) (*http.Response, error) { return nil, cause }}
			err := look(t.Context(), a.client(t, staticToken(), mid.WithRetry(mid.RetryPolicy{})))
			require.NotContains(t, err.Error(), testSecret)
			failure, ok := errors.AsType[net.Error](err)
			require.True(t, ok, "%v", err)
			var typed net.Error
			require.Equal(t, errors.As(cause, &typed), failure.Timeout())
		})
	}
}
