package midtest

import (
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mobid-io/mid-go"
)

const basePath = "/v1"

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

	options options
	ctx     context.Context // ends with Close
	stop    context.CancelFunc
	api     *host
	client  *http.Client

	timers timers
	quota  quota
	tokens tokens
	faults faults
	log    requestLog
	repeat repeats
	hooks  *webhooks
	pages  atomic.Pointer[http.Handler] // nil: there are none

	mu            sync.Mutex // guards what follows
	authSessions  store[authSession]
	documents     store[mid.IdentityDocument]
	verifications store[verification]
	contracts     store[mid.SigningDocument]
	signings      store[signingSession]
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
		options:       o,
		client:        newHTTPClient(o.dial),
		timers:        timers{pending: map[*later]struct{}{}},
		quota:         quota{counter: o.counter},
		tokens:        tokens{expiry: map[string]time.Time{}},
		repeat:        repeats{first: map[string]firstAnswer{}},
		authSessions:  newStore[authSession](),
		documents:     newStore[mid.IdentityDocument](),
		verifications: newStore[verification](),
		contracts:     newStore[mid.SigningDocument](),
		signings:      newStore[signingSession](),
	}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.hooks = newWebhooks(s)
	s.api = startHost(s.ctx, o.listener, s.handler())
	return s
}

// SetQuota allows limit requests in a window of time from now on, as
// [WithQuota] does. What was counted so far is forgotten, and a plan of
// [WithPlan] no longer holds.
func (s *Server) SetQuota(limit int, length time.Duration) {
	s.quota.set(&window{limit: limit, length: length})
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

// Close ends the server: requests and deliveries under way are broken off, and
// timers stopped. It returns when everything that the server started has
// ended. Closing again does nothing. What the server saw can be read after it.
func (s *Server) Close() {
	s.stop()
	s.timers.close()
	s.api.close()
	s.hooks.close()
	s.client.CloseIdleConnections()
}

func newHTTPClient(dial dialFunc) *http.Client {
	return &http.Client{Transport: &http.Transport{
		DialContext:         dial,
		MaxIdleConnsPerHost: 100, // tests are concurrent, the default is 2
	}}
}

func listenLoopback() net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		l, err = net.Listen("tcp", "[::1]:0")
	}
	if err != nil {
		panic("midtest: NewServer: can't listen on a loopback port: " + err.Error())
	}
	return l
}

// authority is the host and port that reach a listener from this machine.
func authority(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if ok && tcp.IP.IsUnspecified() {
		tcp = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: tcp.Port}
		return tcp.String()
	}
	return addr.String()
}
