package mid_test

import (
	"bytes"
	"errors"
	"io"
	"log"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// Without WithLogger nothing is written anywhere: not to the standard streams
// and not by the loggers of the standard library. It takes them over, so it
// does not run in parallel.
func TestNothingIsWrittenByDefault(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	stdout, stderr, logOut, logger := os.Stdout, os.Stderr, log.Writer(), slog.Default()
	var logged bytes.Buffer
	os.Stdout, os.Stderr = w, w
	log.SetOutput(&logged)
	slog.SetDefault(slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug})))
	defer func() {
		os.Stdout, os.Stderr = stdout, stderr
		slog.SetDefault(logger)
		log.SetOutput(logOut)
	}()

	a := &api{handle: answers(
		failed(errors.New("connection reset")), status(503, ""), status(401, ""), status(500, "<html>"), status(200, "nonsense"),
	)}
	c := a.client(t, mid.WithRetry(mid.RetryPolicy{MaxRetries: 2, MinWait: time.Millisecond, MaxWait: time.Millisecond}))
	for range 4 {
		_, err := c.Authentication.GetSession(t.Context(), "sess_1")
		require.Error(t, err)
	}
	refused, err := mid.NewClient(testID, testSecret, mid.WithBaseURL("http://127.0.0.1:1/v1"), mid.WithRetry(mid.RetryPolicy{}))
	require.NoError(t, err)
	require.Error(t, refused.Call(t.Context(), "GET", "/x", nil, nil))
	_, err = c.Webhooks.Parse([]byte("{}"), nil)
	require.Error(t, err)
	_, err = mid.NewClient("", "")
	require.Error(t, err)

	require.NoError(t, w.Close())
	written, err := io.ReadAll(r)
	require.NoError(t, err)
	require.Empty(t, string(written))
	require.Empty(t, logged.String())
}
