package transport

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

// A line has what is known of a send, and nothing of its query; its level says
// whether the caller can work with the answer.
func TestLogLines(t *testing.T) {
	t.Parallel()
	lost := &url.Error{Op: "Get", URL: anywhere + "?phone=1", Err: errors.New("lost secret")}
	for _, tt := range []struct {
		status int
		err    error
		want   string
	}{
		{200, nil, "level=INFO msg=\"mid: request\" method=GET path=/x attempt=1 status=200 request_id=req_***\n"},
		{404, nil, "level=INFO msg=\"mid: request\" method=GET path=/x attempt=1 status=404 request_id=req_***\n"},
		{429, nil, "level=WARN msg=\"mid: request\" method=GET path=/x attempt=1 status=429 request_id=req_***\n"},
		{503, nil, "level=WARN msg=\"mid: request\" method=GET path=/x attempt=1 status=503 request_id=req_***\n"},
		{0, lost, "level=WARN msg=\"mid: request\" method=GET path=/x attempt=1 error=\"lost ***\"\n"},
	} {
		var out bytes.Buffer
		handler := slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == "duration" {
				return slog.Attr{}
			}
			return a
		}})
		l := &Log{
			Next: tripper(func(*http.Request) (*http.Response, error) {
				if tt.err != nil {
					return nil, tt.err
				}
				resp := reply(tt.status, http.NoBody)
				resp.Header.Set("X-Request-Id", "req_secret")
				return resp, nil
			}),
			Logger: slog.New(handler),
			Path:   func(*url.URL) string { return "/x" },
			Clean: func(_ *Call, text string) string {
				return string(bytes.ReplaceAll([]byte(text), []byte("secret"), []byte("***")))
			},
		}
		call := callTo(t.Context(), t, http.MethodGet, anywhere+"?phone=1", nil)
		call.Attempts = 1
		req, err := http.NewRequestWithContext(call, http.MethodGet, call.URL.String(), http.NoBody)
		require.NoError(t, err)
		_, err = l.RoundTrip(req)
		require.Equal(t, tt.err, err)
		require.Equal(t, tt.want, out.String())

		out.Reset()
		l.Logger = slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelError}))
		_, _ = l.RoundTrip(req)
		require.Empty(t, out.String())
	}
}
