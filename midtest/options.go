package midtest

import (
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/mobid-io/mid-go"
)

// Option changes what [NewServer] makes. Where two options contradict each
// other, the later wins.
type Option func(*options)

type options struct {
	dialect       dialect
	auto          autoComplete
	counter       counter
	tokenLifetime time.Duration
	listener      net.Listener // nil: a loopback port
	dial          dialFunc     // nil: the network's
	inMemory      bool
	middleware    []func(http.Handler) http.Handler
}

func defaultOptions() options {
	return options{
		counter:       &window{limit: mid.PlanProfessional.RequestsPerMinute, length: time.Minute},
		tokenLifetime: time.Hour,
	}
}

// WithAutoComplete plays the users. An authentication session is scanned when
// half of after has passed since its creation, and approved when all of it has.
// A verification is verified then. The first signer of a session signs then,
// and each one after that when after has passed once more. If after is zero or
// less, it happens as soon as the creation has been answered, or a little
// before. Without this option nothing happens unless the test drives it.
func WithAutoComplete(after time.Duration) Option {
	return func(o *options) { o.auto = autoComplete{on: true, after: max(after, 0)} }
}

// WithQuota allows limit requests in a window of time, which begins with the
// first request after the last window ended. Token requests count, and failed
// ones. Without it and [WithPlan], the quota is 1,000 requests a minute, the
// rate of the Professional plan. A limit of zero refuses every request. A
// window of zero, with a positive limit, refuses no request. See also
// [Server.SetQuota].
func WithQuota(limit int, length time.Duration) Option {
	return func(o *options) { o.counter = &window{limit: limit, length: length} }
}

// WithPlan limits requests as a token bucket does: p.Burst requests may go at
// once, and p.RequestsPerMinute tokens a minute fill the bucket again. Every
// request takes a token, token requests and failed ones included. While the
// bucket is empty, requests are refused. The X-RateLimit headers report the
// bucket: Limit is the burst, Remaining the tokens that are left, and Reset the
// time at which the bucket is full again. Of WithPlan and [WithQuota], the later
// wins. WithPlan panics unless both numbers of p are at least 1, as a plan of
// [mid.WithPlan] has to be.
func WithPlan(p mid.Plan) Option {
	if p.RequestsPerMinute < 1 || p.Burst < 1 {
		panic(fmt.Sprintf("midtest: WithPlan: %+v; give a plan whose RequestsPerMinute and Burst are at least 1", p))
	}
	return func(o *options) { o.counter = newBucket(p) }
}

// WithFieldNames sets how the server spells the names of fields. With
// [mid.CamelCase], answers and events have names like createdAt, and the ids of
// sessions, verifications, signing sessions and documents are called sessionId,
// verificationId, signatureRequestId and documentId. Requests must have such
// names too. Either way, a field in the other spelling is refused, so that it is
// not lost in silence. Metadata keeps its keys, and the token endpoint keeps the
// names of OAuth. Without this option, names are [mid.SnakeCase].
func WithFieldNames(names mid.FieldNames) Option {
	return func(o *options) { o.dialect.names = names }
}

// WithEnvelope sets how answers are wrapped. Without it, they have the contract's
// envelope, [EnvelopeSuccess].
func WithEnvelope(e Envelope) Option {
	return func(o *options) { o.dialect.envelope = e }
}

// WithTokenLifetime sets how long access tokens live. It is rounded up to whole
// seconds, at least one. Without it, they live for an hour.
func WithTokenLifetime(d time.Duration) Option {
	return func(o *options) { o.tokenLifetime = time.Duration(max(seconds(d), 1)) * time.Second }
}

// WithListener serves on l, for an address of your choice. The server closes
// it.
func WithListener(l net.Listener) Option {
	return func(o *options) { o.listener, o.dial, o.inMemory = l, nil, false }
}

// WithInMemory serves without sockets: only [Server.Client] and
// [Server.HTTPClient] reach the server, and events go only to the handler of
// [Server.HandleCallbacks]. Server and clients may then run in a bubble of
// [testing/synctest], where a session expires in no time at all. Call
// [NewServer] inside the bubble, and close the server before the bubble's
// function returns. Code that builds its own client needs
// [mid.WithHTTPClient] with [Server.HTTPClient].
//
// A call that failed by its context, on a client without a token, leaves the
// token's fetch running for later calls. Let it end before the bubble does:
// time.Sleep(time.Minute) takes no time there.
func WithInMemory() Option {
	return func(o *options) {
		m := newMemoryListener()
		o.listener, o.dial, o.inMemory = m, m.DialContext, true
	}
}

// WithMiddleware serves wrap(h) in place of h, which answers every request,
// those of [Server.HandlePages] included: for the checks of a gateway, or
// anything else between a client and MID. If given several times, the first is
// the outermost. What it answers by itself is neither counted nor logged.
func WithMiddleware(wrap func(http.Handler) http.Handler) Option {
	return func(o *options) { o.middleware = append(o.middleware, wrap) }
}
