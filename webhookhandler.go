package mid

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"runtime/debug"
	"strconv"
	"time"
)

const (
	// storeTimeout bounds one call of the EventStore, because it does not end
	// with the request.
	storeTimeout = 5 * time.Second
	// notifyTimeout bounds what a slow Notifier may cost the handler.
	notifyTimeout = time.Second
)

// EventHandlers say what [WebhookService.Handler] does with an event. If a handler
// returns nil, the event is handled for good. After an error or a panic, MID
// delivers it again. Events may arrive late and in any order, so take one as a
// reason to ask MID before anything that matters, such as with
// [AuthenticationService.Verify].
//
// A handler's ctx ends with the request or with [WebhookConfig.Lease], whichever
// comes first. It carries what the [EventStore] adds to it. After the lease the
// next delivery may run the handler again, so a handler must return when its ctx
// ends. While it runs, further deliveries are answered with status 503.
type EventHandlers struct {
	// AuthenticationCompleted handles [EventAuthenticationCompleted].
	AuthenticationCompleted func(context.Context, *Event, *AuthSession) error
	// VerificationCompleted handles [EventVerificationCompleted].
	VerificationCompleted func(context.Context, *Event, *Verification) error
	// SigningCompleted handles [EventSigningCompleted].
	SigningCompleted func(context.Context, *Event, *SigningSession) error
	// Other handles every event whose own handler is nil, and the types that
	// the SDK does not know. If nil, they are acknowledged and dropped.
	Other func(context.Context, *Event) error
}

func (h EventHandlers) handle(ctx context.Context, e *Event) error {
	switch {
	case e.Type == EventAuthenticationCompleted && h.AuthenticationCompleted != nil:
		return handleAs(ctx, e, e.AuthSession, h.AuthenticationCompleted)
	case e.Type == EventVerificationCompleted && h.VerificationCompleted != nil:
		return handleAs(ctx, e, e.Verification, h.VerificationCompleted)
	case e.Type == EventSigningCompleted && h.SigningCompleted != nil:
		return handleAs(ctx, e, e.SigningSession, h.SigningCompleted)
	case h.Other != nil:
		return h.Other(ctx, e)
	}
	return errDropped
}

// errDropped says that the event has no handler.
var errDropped = errors.New("no handler takes the event")

func handleAs[T any](ctx context.Context, e *Event, decode func() (*T, error), handle func(context.Context, *Event, *T) error) error {
	data, err := decode()
	if err != nil {
		return err
	}
	return handle(ctx, e, data)
}

// Reply is the answer to one delivery.
type Reply struct {
	// Status is an HTTP status; see [WebhookService.Handler] for which.
	Status int
	// RetryAfter is how long MID should wait before it delivers again. Send it as
	// the Retry-After header, in seconds. If zero, send no such header.
	RetryAfter time.Duration
	// Reason says why the delivery was not accepted, in words that the sender
	// may read. It is empty if Status is 204.
	Reason string
}

// Handler returns an HTTP handler that receives deliveries on any path, and does
// what [WebhookService.Handle] does with each. The answer has a status, the reason
// as its text and, if another delivery makes sense later, a Retry-After header:
//
//	204 the event is handled now, or was before (ErrEventHandled)
//	400 the body can't be read, or is signed but not an event
//	401 the signature is missing or wrong, or the event is stale
//	405 the method is not POST
//	413 the body is over WebhookConfig.MaxBodyBytes
//	500 the handler failed or panicked, or the event's data is missing or does not decode
//	503 another delivery of the event is being handled (ErrEventInHand), the lease passed
//	    before the handler was done (ErrClaimLost), or the event store failed
//
// MID delivers an event again until it is answered 2xx. Handler reads a body as
// slowly as it comes, so set [http.Server.ReadTimeout].
func (s *WebhookService) Handler(handlers EventHandlers) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reply, returned := Reply{Status: http.StatusInternalServerError, Reason: reasonFailed}, false
		defer func() { // a handler that ends its goroutine returns no reply
			reply.write(w)
			if !returned {
				_ = http.NewResponseController(w).Flush() // package net/http would send nothing
			}
		}()
		reply = s.serve(w, r, handlers)
		returned = true
	})
}

func (s *WebhookService) serve(w http.ResponseWriter, r *http.Request, handlers EventHandlers) Reply {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return Reply{Status: http.StatusMethodNotAllowed, Reason: "a delivery is a POST request"}
	}
	payload, err := s.readBody(w, r)
	if errors.Is(err, ErrPayloadTooLarge) {
		w.Header().Set("Connection", "close") // the server would go on reading otherwise
	}
	if err != nil {
		return s.refuse(r.Context(), err)
	}
	return s.Handle(r.Context(), payload, r.Header, handlers)
}

func (r Reply) write(w http.ResponseWriter) {
	if r.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.FormatInt(int64((r.RetryAfter+time.Second-1)/time.Second), 10))
	}
	if r.Status == http.StatusNoContent {
		w.WriteHeader(r.Status)
		return
	}
	http.Error(w, r.Reason, r.Status)
}

// Handle receives one delivery. payload is the body exactly as it arrived, and
// header is its header, with keys in any case. Handle is for receivers without
// net/http, such as a queue or a function in the cloud. [WebhookService.Handler]
// is built on it.
//
// Handle verifies the delivery as [WebhookService.Parse] does. It wakes the waits
// of the event's session or verification, claims the event in the store, runs its
// handler, and marks the event as handled or releases it. The reply says what to
// answer, with the statuses that Handler lists. MID delivers an event again until
// it is answered 2xx. If ctx is nil, it is [context.Background].
func (s *WebhookService) Handle(ctx context.Context, payload []byte, header http.Header, handlers EventHandlers) Reply {
	if ctx == nil {
		ctx = context.Background()
	}
	if int64(len(payload)) > s.maxBody {
		return s.refuse(ctx, tooLarge(s.maxBody))
	}
	event, err := s.Parse(payload, header)
	if err != nil {
		return s.refuse(ctx, err)
	}
	d := delivery{service: s, event: event, handlers: handlers}
	d.notify(ctx)
	return d.handle(ctx)
}

// refuse answers a delivery that did not become an event.
func (s *WebhookService) refuse(ctx context.Context, err error) Reply {
	s.log(ctx, slog.LevelWarn, "refused", nil, err)
	reply := Reply{Status: http.StatusBadRequest, Reason: err.Error()}
	switch {
	case errors.Is(err, ErrMissingSignature), errors.Is(err, ErrInvalidSignature), errors.Is(err, ErrStaleEvent):
		reply.Status = http.StatusUnauthorized
	case errors.Is(err, ErrPayloadTooLarge):
		reply.Status = http.StatusRequestEntityTooLarge
	}
	return reply
}

func (s *WebhookService) log(ctx context.Context, level slog.Level, outcome string, e *Event, err error, attrs ...slog.Attr) {
	if !s.logger.Enabled(ctx, level) {
		return
	}
	attrs = append(attrs, slog.String("outcome", outcome))
	if e != nil {
		attrs = append(attrs, slog.Attr{Key: "event", Value: e.LogValue()})
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", err.Error()))
	}
	s.logger.LogAttrs(ctx, level, "mid: webhook", attrs...)
}

// delivery is a delivery that verified.
type delivery struct {
	service  *WebhookService
	handlers EventHandlers
	event    *Event
	claim    EventClaim
}

// notify is quick and never fails the delivery, a panic included: the event would
// be lost for what only costs time.
func (d *delivery) notify(ctx context.Context) {
	id := d.event.subject()
	if id == "" {
		return
	}
	defer func() {
		if v := recover(); v != nil {
			d.log(ctx, slog.LevelError, "not notified", fmt.Errorf("panic: %v", v), slog.String("stack", string(debug.Stack())))
		}
	}()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), notifyTimeout)
	defer cancel()
	if err := d.service.notifier.Notify(ctx, id); err != nil {
		d.log(ctx, slog.LevelWarn, "not notified", err)
	}
}

// handle claims the event and runs its handler. The lease counts from before the
// claim, because a slow store would otherwise let the handler outlive it.
func (d *delivery) handle(ctx context.Context) Reply {
	deadline := time.Now().Add(d.service.lease)
	claimCtx, settled := context.WithCancelCause(context.WithoutCancel(ctx))
	defer settled(nil)
	if err := d.take(claimCtx, settled); err != nil {
		return d.unclaimed(ctx, err)
	}
	if !time.Now().Before(deadline) {
		return d.unclaimed(ctx, ErrClaimLost)
	}
	leased, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	handlerCtx, err := d.claim.Context(leased)
	if err != nil {
		return d.unclaimed(ctx, err)
	}
	return d.run(ctx, handlerCtx)
}

// take claims the event. It bounds the store's time by a timer, because ctx
// must live on when Claim has returned.
func (d *delivery) take(ctx context.Context, end context.CancelCauseFunc) (err error) {
	slow := time.AfterFunc(min(storeTimeout, d.service.lease), func() { end(context.DeadlineExceeded) })
	d.claim, err = d.service.store.Claim(ctx, d.event.ID, d.service.lease)
	if v := reflect.ValueOf(d.claim); v.Kind() == reflect.Pointer && v.IsNil() {
		d.claim = nil // as a store returns it whose own function returns a pointer
	}
	switch inTime := slow.Stop(); {
	case err != nil:
		return err
	case d.claim == nil:
		return errNoClaim
	case !inTime:
		return context.DeadlineExceeded
	}
	return nil
}

var errNoClaim = errors.New("mid: the event store returned neither a claim nor an error")

// unclaimed answers a delivery that does not run the handler.
func (d *delivery) unclaimed(ctx context.Context, err error) Reply {
	if d.claim != nil {
		d.release(ctx)
	}
	switch {
	case errors.Is(err, ErrEventHandled):
		d.log(ctx, slog.LevelDebug, "duplicate", nil)
		return Reply{Status: http.StatusNoContent}
	case errors.Is(err, ErrEventInHand):
		d.log(ctx, slog.LevelInfo, "in hand", nil)
		return d.later(reasonInHand)
	}
	return d.storeFailed(ctx, "not claimed", err)
}

// run runs the handler and settles the claim. It settles in a deferred call, so
// that no way to leave the handler, runtime.Goexit included, keeps the claim.
func (d *delivery) run(ctx, handlerCtx context.Context) (reply Reply) {
	err := errHandlerExited
	defer func() {
		var details []slog.Attr
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
			details = append(details, slog.String("stack", string(debug.Stack())))
		}
		reply = d.settle(ctx, err, details)
	}()
	err = d.handlers.handle(handlerCtx, d.event)
	return reply
}

var errHandlerExited = errors.New("the handler ended its goroutine")

func (d *delivery) settle(ctx context.Context, handled error, details []slog.Attr) Reply {
	outcome := "acknowledged"
	switch {
	case errors.Is(handled, errDropped):
		outcome = "dropped"
	case handled != nil:
		d.log(ctx, slog.LevelError, "failed", handled, details...)
		d.release(ctx)
		return Reply{Status: http.StatusInternalServerError, Reason: reasonFailed}
	}
	storeCtx, cancel := storeContext(ctx)
	defer cancel()
	if err := d.claim.Done(storeCtx); err != nil {
		return d.storeFailed(ctx, "not marked done", err)
	}
	d.log(ctx, slog.LevelDebug, outcome, nil)
	return Reply{Status: http.StatusNoContent}
}

// release gives the claim back. It tries twice: until the claim lapses, MID's
// deliveries are refused.
func (d *delivery) release(ctx context.Context) {
	var err error
	for range 2 {
		storeCtx, cancel := storeContext(ctx)
		err = d.claim.Release(storeCtx)
		cancel()
		if err == nil {
			return
		}
	}
	d.log(ctx, slog.LevelError, "not released", err)
}

// storeFailed answers a delivery whose event the store could not claim or mark.
func (d *delivery) storeFailed(ctx context.Context, outcome string, err error) Reply {
	d.log(ctx, slog.LevelError, outcome, err)
	if errors.Is(err, ErrClaimLost) {
		return d.later(reasonLost)
	}
	return Reply{Status: http.StatusServiceUnavailable, Reason: reasonStore}
}

// later asks MID to wait for a lease: every claim of now has lapsed then, and
// earlier tries could use up MID's patience.
func (d *delivery) later(reason string) Reply {
	return Reply{Status: http.StatusServiceUnavailable, RetryAfter: d.service.lease, Reason: reason}
}

func (d *delivery) log(ctx context.Context, level slog.Level, outcome string, err error, attrs ...slog.Attr) {
	d.service.log(ctx, level, outcome, d.event, err, attrs...)
}

// What the sender reads when the receiver fails. The errors of a store and of
// handlers may hold anything, so they are only logged.
const (
	reasonFailed = "the event's handler failed"
	reasonInHand = "another delivery of the event is being handled"
	reasonLost   = "the event's handler took too long"
	reasonStore  = "the event store failed"
)

// storeContext returns a context that outlives the request's, because a claim that
// is not settled would hold up the event.
func storeContext(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
}
