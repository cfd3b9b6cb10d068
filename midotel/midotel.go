// Package midotel records OpenTelemetry spans and metrics of the MID SDK:
//
//	telemetry, err := midotel.New(midotel.Config{})
//	if err != nil {
//		return err
//	}
//	client, err := mid.NewClient(clientID, clientSecret, telemetry.ClientOptions()...)
//
// Each call has a span, such as auth.sessions.create. Below it, each wire send has
// a client span by the semantic conventions for HTTP, so that a retry shows as a
// second one. A token request has a span of its own, with links to the calls that
// waited for it. [Telemetry.Handler] does the same for webhooks.
//
// Spans and metrics hold no personal data, no query and no secret. They hold a URL's
// path template and an error's type. midotel adds no traceparent header to requests:
// the trace's ids stay within the application.
package midotel

import "github.com/mobid-io/mid-go"

// ClientOptions returns the options that observe a client. Any number of clients may
// have them. Give them before other middleware, so that the spans include its time.
func (t *Telemetry) ClientOptions() []mid.Option {
	return []mid.Option{
		mid.WithCallObserver(t.observeCall),
		mid.WithMiddleware(t.middleware),
		mid.WithTokenCacheMiddleware(t.observeTokens),
	}
}
