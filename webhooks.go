package mid

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"
)

// SignatureHeader is the header that carries an event's signature: the
// lower-case hexadecimal HMAC-SHA256 (RFC 2104) of the raw request body.
const SignatureHeader = "X-Webhook-Signature"

const (
	clientIDHeader      = "X-Client-Id"
	defaultTolerance    = 5 * time.Minute
	defaultLease        = time.Minute
	defaultMaxBodyBytes = 1 << 20
)

// WebhookConfig configures a [WebhookService]. Only Secrets is required. It
// formats and marshals as a fixed text, so that no secret reaches a log.
type WebhookConfig struct {
	// Secrets are the keys that an event may be signed with: the account's
	// webhook secret or, if it has none, the client secret. While a secret is
	// replaced, give the new and the old one; [WebhookService.Sign] uses the
	// first. No secret may be empty. If there are none, [NewWebhookService]
	// returns an error, and [WithWebhooks] uses the client secret.
	Secrets []string
	// Tolerance is how far an event's timestamp may be from this machine's
	// clock, in either direction. If zero, it is 5 minutes.
	Tolerance time.Duration
	// Lease is how long one delivery may take to handle an event before the
	// next may claim it; a handler's ctx ends with it. If zero, it is one minute.
	Lease time.Duration
	// Store remembers which events were handled. If nil, they are kept in
	// memory.
	Store EventStore
	// Notifier wakes the waits of the session or verification that an event is
	// about. If nil, a client wakes its own waits. A receiver that is made
	// without a client, and receivers in other processes, need one that they
	// share with the client that waits.
	Notifier Notifier
	// MaxBodyBytes bounds the body of a delivery. If zero, it is 1 MiB.
	MaxBodyBytes int64
	// Logger gets a line for each delivery: the outcome, the event's id and type,
	// and the text of errors, also of those that the store and your handlers
	// return. It never gets a payload, a signature or a secret. If nil, nothing is
	// logged; with [WithWebhooks], the client's logger is used.
	Logger *slog.Logger
}

// Format writes a fixed text in place of the configuration, whatever the verb.
func (c WebhookConfig) Format(f fmt.State, _ rune) { writeShown(f, "mid.WebhookConfig", c.LogValue()) }

// MarshalText returns a fixed text in place of the configuration. It is what
// encoders of JSON, XML, YAML and the like write.
func (c WebhookConfig) MarshalText() ([]byte, error) { return []byte(fmt.Sprint(c)), nil }

// LogValue is a fixed text in place of the configuration.
func (WebhookConfig) LogValue() slog.Value { return hidden() }

// WebhookService receives the events that MID sends to callback URLs. It is
// made by [NewWebhookService] or reached through [Client.Webhooks], and is safe
// for concurrent use.
type WebhookService struct {
	keys      []*webhookKey
	tolerance time.Duration
	lease     time.Duration
	store     EventStore
	notifier  Notifier
	maxBody   int64
	logger    *slog.Logger
}

// NewWebhookService returns a service that receives events without a client. It
// needs no client credentials and sends nothing. A configuration that has no
// secret, or is invalid otherwise, is a [*ValidationError].
func NewWebhookService(cfg WebhookConfig) (*WebhookService, error) {
	if len(cfg.Secrets) == 0 {
		return nil, invalid("WebhookConfig.Secrets", "is empty; give the webhook secret or, without one, the client secret")
	}
	return newWebhookService(cfg)
}

// newWebhookService accepts a configuration without secrets, because a client
// with a token source need not have one, and may never receive an event.
func newWebhookService(cfg WebhookConfig) (*WebhookService, error) {
	s := &WebhookService{tolerance: cfg.Tolerance, lease: cfg.Lease, store: cfg.Store, notifier: cfg.Notifier, maxBody: cfg.MaxBodyBytes, logger: cfg.Logger}
	for i, secret := range cfg.Secrets {
		if err := webhookSecret(fmt.Sprintf("WebhookConfig.Secrets[%d]", i), secret); err != nil {
			return nil, err
		}
		s.keys = append(s.keys, newWebhookKey(secret))
	}
	if s.tolerance < 0 {
		return nil, invalid("WebhookConfig.Tolerance", "is negative")
	}
	if s.lease < 0 {
		return nil, invalid("WebhookConfig.Lease", "is negative")
	}
	if s.maxBody < 0 {
		return nil, invalid("WebhookConfig.MaxBodyBytes", "is negative")
	}
	if s.tolerance == 0 {
		s.tolerance = defaultTolerance
	}
	if s.lease == 0 {
		s.lease = defaultLease
	}
	if s.maxBody == 0 {
		s.maxBody = defaultMaxBodyBytes
	}
	if s.store == nil {
		s.store = newMemoryStore(memoryStoreEntries, 2*s.tolerance, memoryStoreAge)
	}
	if s.notifier == nil {
		s.notifier = NewNotifier()
	}
	if s.logger == nil {
		s.logger = slog.New(slog.DiscardHandler)
	}
	return s, nil
}

// Format writes a fixed text, whatever the verb.
func (s WebhookService) Format(f fmt.State, _ rune) {
	writeShown(f, "mid.WebhookService", s.LogValue())
}

// LogValue is a fixed text.
func (WebhookService) LogValue() slog.Value { return hidden() }

// Verify checks that signature, the value of [SignatureHeader], was made over
// payload with one of the secrets. payload must be the request body byte for byte
// as it arrived: JSON that was decoded and encoded again does not verify. The
// hexadecimal digits may be of either case.
//
// If signature is empty, the error is [ErrMissingSignature]. If it does not verify,
// or no secret is configured, the error is [ErrInvalidSignature]. Verify does not
// check the age of the event; Parse and ParseRequest do.
func (s *WebhookService) Verify(payload []byte, signature string) error {
	sum, err := s.signature(signature)
	if err != nil {
		return err
	}
	for _, key := range s.keys {
		if own := key.sum(payload); hmac.Equal(sum[:], own[:]) {
			return nil
		}
	}
	return fmt.Errorf("%w: %s", ErrInvalidSignature, mismatch(payload))
}

// signature decodes the header's value. It fails for a delivery that can't verify,
// whatever its body is.
func (s *WebhookService) signature(header string) (sum [sha256.Size]byte, err error) {
	if len(s.keys) == 0 {
		return sum, fmt.Errorf("%w: no secret is configured, set WebhookConfig.Secrets", ErrInvalidSignature)
	}
	return decodeSignature(header)
}

// Sign returns the signature that MID would send with payload, for tests of
// receivers: its HMAC-SHA256 with the first secret, in lower-case hexadecimal. If
// no secret is configured, it returns "".
func (s *WebhookService) Sign(payload []byte) string {
	if len(s.keys) == 0 {
		return ""
	}
	sum := s.keys[0].sum(payload)
	return hex.EncodeToString(sum[:])
}

// Parse verifies payload, the raw request body, with the signature in header,
// checks the event's age and decodes it. The keys of header may be in any case,
// because not every framework has them as package net/http does. Event types and
// fields that the SDK does not know are accepted. Events of another spelling or
// shape are read too, see [Event].
//
// Errors match [ErrMissingSignature] or [ErrInvalidSignature], or [ErrStaleEvent]
// if the timestamp is missing or further than [WebhookConfig.Tolerance] from this
// machine's clock. If a signed payload is not JSON, or has no id or no type, the
// error matches none of these. It quotes nothing of the payload.
//
// Parse does not know whether the event was handled before; Handler does.
func (s *WebhookService) Parse(payload []byte, header http.Header) (*Event, error) {
	if err := s.Verify(payload, headerValue(header, SignatureHeader)); err != nil {
		return nil, err
	}
	wire := new(wireEvent)
	if !wire.read(payload) {
		if err := wire.decode(payload); err != nil {
			return nil, err
		}
	}
	if wire.Timestamp == 0 {
		return nil, fmt.Errorf("%w: it has no timestamp, in Unix milliseconds", ErrStaleEvent)
	}
	sent := time.UnixMilli(wire.Timestamp).UTC()
	if err := s.checkAge(sent, time.Now()); err != nil {
		return nil, err
	}
	if wire.ID == "" || wire.Type == "" {
		return nil, errors.New("mid: webhook event has no id or no type")
	}
	wire.event = Event{ID: wire.ID, Type: wire.Type, Timestamp: sent, ClientID: headerValue(header, clientIDHeader), Data: wire.Data}
	return &wire.event, nil
}

// checkAge says how far off a stale event is, because that shows a wrong clock: all
// events are then off by nearly the same.
func (s *WebhookService) checkAge(sent, now time.Time) error {
	off, direction := now.Sub(sent), "ago"
	if off < 0 {
		off, direction = -off, "ahead"
	}
	if off >= 0 && off <= s.tolerance {
		return nil
	}
	return fmt.Errorf("%w: it was sent at %s, which is %v %s by this machine's clock; at most %v is allowed, so check the clock",
		ErrStaleEvent, sent.Format(time.RFC3339), off.Round(time.Second), direction, s.tolerance)
}

// ParseRequest reads the body of r, and then does what Parse does. If the body is
// longer than [WebhookConfig.MaxBodyBytes], the error matches [ErrPayloadTooLarge].
// The body is not read at all if its Content-Length is over the bound, or if the
// signature is missing or malformed.
func (s *WebhookService) ParseRequest(r *http.Request) (*Event, error) {
	payload, err := s.readBody(nil, r)
	if err != nil {
		return nil, err
	}
	return s.Parse(payload, r.Header)
}

// readBody reads a body that may belong to an event. w may be nil.
func (s *WebhookService) readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if _, err := s.signature(headerValue(r.Header, SignatureHeader)); err != nil {
		return nil, err
	}
	if r.ContentLength > s.maxBody {
		return nil, tooLarge(s.maxBody)
	}
	if r.Body == nil {
		return nil, nil
	}
	payload, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.maxBody))
	if _, over := errors.AsType[*http.MaxBytesError](err); over {
		return nil, tooLarge(s.maxBody)
	}
	if err != nil {
		return nil, fmt.Errorf("mid: reading the webhook body: %w", err)
	}
	return payload, nil
}

func tooLarge(bound int64) error {
	return fmt.Errorf("%w: the webhook body is over %d bytes", ErrPayloadTooLarge, bound)
}
