package midtest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/mobid-io/mid-go"
)

const (
	maxAttempts     = 5
	firstBackoff    = 200 * time.Millisecond
	maxPause        = time.Hour
	deliveryTimeout = 10 * time.Second
)

// Delivery is one attempt to deliver an event.
type Delivery struct {
	// EventID is the same in every attempt.
	EventID string
	Type    mid.EventType
	// SubjectID is the id of the session or verification that ended.
	SubjectID string
	// URL is the callback URL.
	URL string
	// Attempt counts from 1, and again from 1 after [Server.Redeliver].
	Attempt int
	// Status is the receiver's, or zero if it did not answer. Err then says why.
	Status int
	Err    error
	// Time is when the attempt was made.
	Time time.Time
	// Payload and Signature are what was sent: the body, and the
	// [mid.SignatureHeader]. Do not change the payload.
	Payload   []byte
	Signature string
}

// Format writes the event's id and type, the attempt and the status on one
// line, whatever the verb, and never the payload.
func (d Delivery) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "midtest.Delivery{%s %s, attempt %d: %s}", d.EventID, d.Type, d.Attempt, statusText(d.Status))
}

// Events returns the deliveries that have ended so far, in that order, but no
// more than the last 10,000.
//
// An event is delivered, with the same id, a fresh timestamp and a fresh
// signature, until a 2xx acknowledges it, five times in all. The pauses between
// the attempts are 0.2, 0.4, 0.8 and 1.6 seconds, or longer if the Retry-After
// of a 429 or 503 asks for it, up to an hour. An attempt gets ten seconds, and
// redirects are not followed. In a bubble of [testing/synctest] all of that is
// the bubble's time.
func (h *webhooks) Events() []Delivery {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.deliveries.all()
}

// WaitForDeliveries waits until n deliveries have ended since the server began,
// each attempt counted, and returns what Events does then. If ctx ends or the
// server is closed before, the error says so, and what there is comes with it.
func (h *webhooks) WaitForDeliveries(ctx context.Context, n int) ([]Delivery, error) {
	for {
		made, next := h.progress()
		if made >= n {
			return h.Events(), nil
		}
		select {
		case <-next:
		case <-ctx.Done():
			return h.Events(), fmt.Errorf("midtest: %d of %d deliveries have ended: %w", made, n, ctx.Err())
		case <-h.ctx.Done():
			return h.Events(), fmt.Errorf("midtest: %d of %d deliveries have ended: the server is closed", made, n)
		}
	}
}

// Redeliver sends an event again, as if it had never been sent: Attempt starts
// again at 1, and there are five attempts until it is acknowledged. It is an
// error if there is no event with this id.
func (h *webhooks) Redeliver(eventID string) error {
	h.mu.Lock()
	e := h.events[eventID]
	h.mu.Unlock()
	if e == nil {
		return unknown("event", eventID, "Events")
	}
	h.schedule(e, 1, 0)
	return nil
}

// HandleCallbacks delivers every event to handler, whatever host its callback URL
// names, without a socket: for a test that has the handler at hand, and for
// [WithInMemory], which has no other way. A later call replaces the handler. It
// must not be nil.
func (h *webhooks) HandleCallbacks(handler http.Handler) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.handler = handler
	if h.inner == nil && h.ctx.Err() == nil { // a closed server starts nothing
		l := newMemoryListener()
		h.inner = deliveryClient(l.DialContext)
		h.innerHost = startHost(h.ctx, l, http.HandlerFunc(h.serve))
	}
}

type event struct {
	id      string
	kind    mid.EventType
	subject string
	url     string
	data    json.RawMessage // as it was when the subject ended
}

// webhooks delivers events.
type webhooks struct {
	ctx      context.Context // ends with the server
	timers   *timers
	inMemory bool
	account  func() (clientID, secret string) // that the events are signed for
	outer    *http.Client                     // to the network

	mu         sync.Mutex
	events     map[string]*event
	deliveries journal[Delivery]
	made       int           // deliveries, the forgotten ones included
	next       chan struct{} // is closed when the next delivery has ended
	handler    http.Handler  // nil: events go to the network
	inner      *http.Client  // to the handler
	innerHost  *host
}

func newWebhooks(ctx context.Context, t *timers, inMemory bool, account func() (clientID, secret string)) webhooks {
	return webhooks{
		ctx:        ctx,
		timers:     t,
		inMemory:   inMemory,
		account:    account,
		outer:      deliveryClient(nil),
		events:     map[string]*event{},
		next:       make(chan struct{}),
		deliveries: journal[Delivery]{strip: func(d *Delivery) { d.Payload = nil }},
	}
}

func deliveryClient(dial dialFunc) *http.Client {
	client := newHTTPClient(dial)
	client.Timeout = deliveryTimeout
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return client
}

// serve finds the handler of the moment, which may have been replaced.
func (h *webhooks) serve(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	handler := h.handler
	h.mu.Unlock()
	handler.ServeHTTP(w, r)
}

func (h *webhooks) send(kind mid.EventType, subject, url string, data any) {
	raw, _ := json.Marshal(data) // resources always marshal: they were answered before
	e := &event{id: newID("evt"), kind: kind, subject: subject, url: url, data: raw}
	h.mu.Lock()
	h.events[e.id] = e
	h.mu.Unlock()
	h.schedule(e, 1, 0)
}

func (h *webhooks) schedule(e *event, attempt int, wait time.Duration) {
	h.timers.after(wait, func() {
		acknowledged, retryAfter := h.deliver(e, attempt)
		if acknowledged || attempt == maxAttempts {
			return
		}
		h.schedule(e, attempt+1, max(firstBackoff<<(attempt-1), retryAfter))
	})
}

// deliver makes an attempt.
func (h *webhooks) deliver(e *event, attempt int) (acknowledged bool, retryAfter time.Duration) {
	d := Delivery{
		EventID:   e.id,
		Type:      e.kind,
		SubjectID: e.subject,
		URL:       e.url,
		Attempt:   attempt,
		Time:      time.Now(),
	}
	d.Payload = e.payload(d.Time)
	clientID, secret := h.account()
	d.Signature = sign(secret, d.Payload)
	d.Status, retryAfter, d.Err = h.post(d, clientID)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.deliveries.add(d, len(d.URL), len(d.Payload))
	h.made++
	close(h.next)
	h.next = make(chan struct{})
	return d.Status >= 200 && d.Status < 300, retryAfter
}

func (h *webhooks) progress() (made int, next <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.made, h.next
}

func (e *event) payload(sent time.Time) []byte {
	text, _ := json.Marshal(struct { // the data has been marshalled before
		ID        string          `json:"id"`
		Type      mid.EventType   `json:"type"`
		Timestamp int64           `json:"timestamp"` // milliseconds
		Data      json.RawMessage `json:"data"`
	}{e.id, e.kind, sent.UnixMilli(), e.data})
	return text
}

func sign(secret string, payload []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(payload)
	return hex.EncodeToString(mac.Sum(nil))
}

func (h *webhooks) post(d Delivery, clientID string) (status int, retryAfter time.Duration, err error) {
	req, err := http.NewRequestWithContext(h.ctx, http.MethodPost, d.URL, bytes.NewReader(d.Payload))
	if err != nil {
		return 0, 0, err
	}
	req.Header.Set("Content-Type", jsonType)
	req.Header.Set("X-Client-Id", clientID)
	req.Header.Set(mid.SignatureHeader, d.Signature)
	client, err := h.route(req)
	if err != nil {
		return 0, 0, err
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, 0, errors.Unwrap(err) // of a *url.Error, whose URL may not be the callback's own
	}
	defer res.Body.Close()
	_, _ = io.CopyN(io.Discard, res.Body, 64<<10) // so that the connection can be used again
	return res.StatusCode, askedPause(res), nil
}

// askedPause is what the receiver asks to wait before the next attempt.
func askedPause(res *http.Response) time.Duration {
	if res.StatusCode != http.StatusTooManyRequests && res.StatusCode != http.StatusServiceUnavailable {
		return 0
	}
	seconds, err := strconv.Atoi(res.Header.Get("Retry-After"))
	if err != nil {
		return 0
	}
	return min(time.Duration(max(seconds, 0))*time.Second, maxPause)
}

// route picks the way to the receiver. In memory there is no TLS.
func (h *webhooks) route(req *http.Request) (*http.Client, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.handler != nil {
		req.URL.Scheme = "http"
		return h.inner, nil
	}
	if h.inMemory {
		return nil, errors.New("midtest: a server in memory delivers to the handler of HandleCallbacks only; call it")
	}
	return h.outer, nil
}

func (h *webhooks) close() {
	h.outer.CloseIdleConnections()
	h.mu.Lock()
	inner, innerHost := h.inner, h.innerHost
	h.mu.Unlock()
	if innerHost != nil {
		innerHost.close()
		inner.CloseIdleConnections()
	}
}
