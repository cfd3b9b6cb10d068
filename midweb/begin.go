package midweb

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"time"

	"github.com/mobid-io/mid-go"
)

const (
	beginTimeout = 10 * time.Second
	ticketLife   = time.Minute
	minWait      = time.Second // before a ticket counts
	maxWait      = 10 * time.Second
)

// ticket is a turn in the queue of those whom the brake held back. The browser
// carries it, sealed.
type ticket struct {
	Nonce string    `json:"n"`
	At    time.Time `json:"a"`
	Tries int       `json:"t"`
	Next  string    `json:"x,omitempty"`
}

// errBraked says that the brake holds a sign-in back.
var errBraked = errors.New("midweb: too many sign-ins begin")

// beginner begins flows.
type beginner struct {
	auth    *mid.AuthenticationService
	cfg     Config
	brake   *brake
	tickets *cookie[ticket]
}

func newBeginner(auth *mid.AuthenticationService, cfg Config, b *brake, cookieName string, secure bool) (*beginner, error) {
	tickets, err := newCookie[ticket](cookieName, secure, cfg.Keys)
	if err != nil {
		return nil, err
	}
	return &beginner{auth: auth, cfg: cfg, brake: b, tickets: tickets}, nil
}

// begin has MID create a session for the browser of a request. former is the
// flow that it takes the place of by itself, if it does.
func (b *beginner) begin(r *http.Request, next string, turn ticket, former *flow) (flow, *mid.AuthSession, error) {
	if !b.brake.admit(addressOf(r, b.cfg.Brake.TrustedProxies), turn.Nonce) {
		return flow{}, nil, errBraked
	}
	ctx, cancel := context.WithTimeout(r.Context(), beginTimeout)
	defer cancel()
	var person Person
	if b.cfg.Person != nil {
		var err error
		if person, err = b.cfg.Person(r); err != nil {
			return flow{}, nil, err
		}
	}
	nonce := newNonce()
	metadata := maps.Clone(person.Metadata)
	if metadata == nil {
		metadata = make(map[string]string)
	}
	metadata[metadataNonce] = nonce
	var answer mid.Response
	session, err := b.auth.CreateSession(ctx, mid.CreateAuthSessionParams{
		Intent:      b.cfg.Intent,
		Recipient:   person.Recipient,
		CallbackURL: b.cfg.CallbackURL,
		Metadata:    metadata,
	}, mid.WithResponse(&answer))
	if err != nil {
		return flow{}, nil, err
	}
	if _, err := codeOf(session); err != nil {
		return flow{}, nil, err
	}
	left := renewals
	if person.Recipient != "" {
		left = 0 // a phone that rings again by itself is no help
	} else if former != nil {
		left = former.Renewals - 1
	}
	return newFlow(session, answer.Timestamp, nonce, next, left), session, nil
}

// turn returns the ticket of a browser that has waited for long enough.
func (b *beginner) turn(r *http.Request) (t ticket, ok bool) {
	t, ok = b.tickets.get(r)
	waited := time.Since(t.At)
	return t, ok && waited >= minWait && waited < ticketLife
}

// queue gives the browser a ticket, in place of one that it had, and returns
// when it should come with it.
func (b *beginner) queue(w http.ResponseWriter, former ticket, next string, cause error) (time.Duration, error) {
	t := ticket{Nonce: newNonce(), At: time.Now().Round(0), Tries: former.Tries + 1, Next: next}
	wait := min(time.Duration(t.Tries)*minWait, maxWait)
	if limit, ok := errors.AsType[*mid.RateLimitError](cause); ok {
		wait = min(max(wait, limit.RetryAfter), ticketLife/2)
	}
	return wait, b.tickets.set(w, t, ticketLife)
}
