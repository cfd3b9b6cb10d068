package midtest

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/mobid-io/mid-go"
)

// Server is a fake MID server. Make it with [NewServer] and end it with
// [Server.Close]. Its methods are safe for concurrent use, Close included.
//
// The exported fields may be changed before the first request, not after it.
type Server struct {
	// URL is the base URL with /v1, as [mid.WithBaseURL] takes it.
	URL string
	// ClientID and ClientSecret are the credentials that the token endpoint
	// accepts.
	ClientID, ClientSecret string
	// WebhookSecret signs the events. It differs from ClientSecret.
	WebhookSecret string

	// The parts, each in a file of its own with its methods.
	front
	requestLog
	quota
	faults
	tokens
	authSessions
	verifications
	signings
	webhooks

	timers *timers
	stop   context.CancelFunc
	host   *host
	client *http.Client
}

// NewServer starts a server: on a free loopback port, unless an option says
// otherwise. It panics if it can't listen, as [net/http/httptest.NewServer]
// does, so that a test needs no error handling for it.
func NewServer(opts ...Option) *Server {
	o := defaultOptions()
	for _, opt := range opts {
		opt(&o)
	}
	if o.listener == nil {
		o.listener = listenLoopback()
	}
	s := &Server{
		URL:           "http://" + authority(o.listener.Addr()) + basePath,
		ClientID:      "midtest-client",
		ClientSecret:  "midtest-client-secret",
		WebhookSecret: "midtest-webhook-secret",
		timers:        newTimers(),
		client:        newHTTPClient(o.dial),
	}
	var ctx context.Context
	ctx, s.stop = context.WithCancel(context.Background())
	s.assemble(ctx, o)
	s.host = startHost(ctx, o.listener, s.front.handler(o.middleware))
	return s
}

// assemble makes the parts and shows them those that they need.
func (s *Server) assemble(ctx context.Context, o options) {
	s.webhooks = newWebhooks(ctx, s.timers, o.inMemory, func() (id, secret string) { return s.ClientID, s.WebhookSecret })
	play := &stage{names: o.dialect.names, timers: s.timers, auto: o.auto, notify: s.webhooks.send}
	s.authSessions = newAuthSessions(play)
	s.verifications = newVerifications(play)
	s.signings = newSignings(play, func() string { return strings.TrimSuffix(s.URL, basePath) })
	s.tokens = newTokens(o.tokenLifetime, func() (id, secret string) { return s.ClientID, s.ClientSecret })
	routes := newRoutes(o.dialect.names, &s.tokens, &s.authSessions, &s.verifications, &s.signings)
	s.faults = newFaults(routes)
	s.requestLog = newRequestLog()
	s.quota.counter = o.counter
	s.front.dialect, s.front.routes, s.front.repeats = o.dialect, routes, newRepeats()
	s.front.quota, s.front.faults, s.front.tokens, s.front.log = &s.quota, &s.faults, &s.tokens, &s.requestLog
}

// Client returns a client of this server, with its credentials, its base URL
// and its webhook secret. Options are applied after those, so that they win; a
// [mid.WithWebhooks] without Secrets keeps the server's webhook secret.
// It panics if an option is refused.
func (s *Server) Client(opts ...mid.Option) *mid.Client {
	all := append([]mid.Option{
		mid.WithBaseURL(s.URL),
		mid.WithHTTPClient(s.HTTPClient()),
		mid.WithWebhooks(mid.WebhookConfig{Secrets: []string{s.WebhookSecret}}),
	}, opts...)
	client, err := mid.NewClient(s.ClientID, s.ClientSecret, all...)
	if err != nil {
		panic("midtest: Client: an option was refused: " + err.Error())
	}
	return client
}

// HTTPClient returns a client whose connections reach the server, in memory
// too. It is the same one at every call: copy it before changing it.
func (s *Server) HTTPClient() *http.Client { return s.client }

// Expire makes an authentication session, a verification or a signing session
// expire now. It is an error if the id is unknown or its status is final.
func (s *Server) Expire(id string) error {
	switch {
	case s.authSessions.has(id):
		return s.authSessions.endByID(id, mid.AuthExpired)
	case s.verifications.has(id):
		return s.CompleteVerification(id, Outcome{Status: mid.VerificationExpired})
	case s.signings.has(id):
		return s.signings.expire(id)
	}
	return fmt.Errorf("midtest: there is no authentication session, verification or signing session %q; "+
		"AuthSessions, Verifications and SigningSessions list those of this server", id)
}

// Close ends the server: requests and deliveries under way are broken off, and
// timers stopped. It returns when everything that the server started has
// ended. Closing again does nothing. What the server saw can be read after it.
func (s *Server) Close() {
	s.stop()
	s.timers.close()
	s.host.close()
	s.webhooks.close()
	s.client.CloseIdleConnections()
}
