package transport

import (
	"log/slog"
	"net/http"
	"net/url"
	"time"
)

// Log is the stage that writes a line for every wire send: at level Info for
// an answer that the caller can work with, at Warn for 429, 5xx and failures.
// It never sees what is secret: no header, no body, no query.
type Log struct {
	Next   http.RoundTripper
	Logger *slog.Logger
	// Path shortens a URL to what is worth a line.
	Path func(u *url.URL) string
	// Clean takes secrets out of a text from outside, should a proxy have
	// echoed them.
	Clean func(call *Call, text string) string
}

// RoundTrip sends the request and logs its end.
func (l *Log) RoundTrip(req *http.Request) (*http.Response, error) {
	start := time.Now()
	resp, err := l.Next.RoundTrip(req)
	call := callOf(req)

	level := slog.LevelInfo
	if err != nil || resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500 {
		level = slog.LevelWarn
	}
	// Handlers do not mind that the context may have ended.
	ctx := req.Context()
	if !l.Logger.Enabled(ctx, level) {
		return resp, err
	}
	now := time.Now()
	// Without a program counter: the source of the line would be this file.
	record := slog.NewRecord(now, level, "mid: request", 0)
	record.AddAttrs(
		slog.String("method", req.Method),
		slog.String("path", l.Path(req.URL)),
		slog.Int("attempt", call.Attempts),
		slog.Duration("duration", now.Sub(start)))
	if err != nil {
		record.AddAttrs(slog.String("error", l.Clean(call, cause(err).Error())))
	} else {
		record.AddAttrs(
			slog.Int("status", resp.StatusCode),
			slog.String("request_id", l.Clean(call, resp.Header.Get("X-Request-Id"))))
	}
	_ = l.Logger.Handler().Handle(ctx, record) // as a Logger does
	return resp, err
}
