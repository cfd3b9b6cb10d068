package mid

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"
)

// storeTimeout bounds one call of the EventStore, because it does not end with
// the request.
const storeTimeout = 5 * time.Second

// EventHandlers say what [WebhookService.Handler] does with an event. A handler
// that returns nil has handled the event for good; after an error or a panic
// MID delivers it again. Events may arrive late and in any order: take one as a
// reason to ask MID, say with [AuthenticationService.Verify], before anything
// that matters. The ctx is the request's, so it ends when MID gives up waiting.
//
// A handler must be quicker than MID's patience, which is a few seconds: a
// redelivery that comes while the first is still being handled is acknowledged
// as a duplicate, and if the first fails then, MID may not deliver the event
// again. Hand long work to a queue of your own.
type EventHandlers struct {
	// AuthenticationCompleted handles [EventAuthenticationCompleted].
	AuthenticationCompleted func(context.Context, *Event, *AuthSession) error
	// VerificationCompleted handles [EventVerificationCompleted].
	VerificationCompleted func(context.Context, *Event, *Verification) error
	// SigningCompleted handles [EventSigningCompleted].
	SigningCompleted func(context.Context, *Event, *SigningSession) error
	// Other handles every event whose own handler is nil, and the types that
	// the SDK does not know. Nil: they are acknowledged and dropped.
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

// errDropped tells an event that nobody handles from one that was handled.
var errDropped = errors.New("no handler takes the event")

func handleAs[T any](ctx context.Context, e *Event, decode func() (*T, error), handle func(context.Context, *Event, *T) error) error {
	data, err := decode()
	if err != nil {
		return err
	}
	return handle(ctx, e, data)
}

// Handler returns an HTTP handler that receives deliveries on any path and runs
// each event through handlers once: one that was handled before, or is being
// handled at the moment, is acknowledged without running them. It answers with
// a status and its text alone:
//
//	204 the event is handled, or was before
//	400 the body can't be read, or is signed but no event
//	401 the signature is missing or wrong, or the event is stale
//	405 the method is not POST
//	413 the body is over WebhookConfig.MaxBodyBytes
//	500 the handler failed or panicked, or the event's data does not decode
//	503 the event store failed
//
// MID delivers again whatever was not answered 2xx. Before a 500 the event is
// released in the store, so that the next delivery runs the handler. Deliveries
// are read as slowly as they come: set [http.Server.ReadTimeout].
func (s *WebhookService) Handler(handlers EventHandlers) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if status := s.serve(w, r, handlers); status == http.StatusNoContent {
			w.WriteHeader(status)
		} else {
			http.Error(w, http.StatusText(status), status)
		}
	})
}

func (s *WebhookService) serve(w http.ResponseWriter, r *http.Request, handlers EventHandlers) int {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return http.StatusMethodNotAllowed
	}
	event, err := s.parseRequest(w, r)
	if err != nil {
		s.log(r.Context(), slog.LevelWarn, "refused", nil, err)
		return refusalStatus(err)
	}
	storeCtx, cancel := storeContext(r.Context())
	claimed, err := s.store.Claim(storeCtx, event.ID)
	cancel()
	if err != nil {
		s.log(r.Context(), slog.LevelError, "not claimed", event, err)
		if claimed { // and the next delivery must find it free
			s.release(r.Context(), event)
		}
		return http.StatusServiceUnavailable
	}
	if !claimed {
		s.log(r.Context(), slog.LevelDebug, "duplicate", event, nil)
		return http.StatusNoContent
	}
	return s.run(r.Context(), handlers, event)
}

func refusalStatus(err error) int {
	switch {
	case errors.Is(err, ErrMissingSignature), errors.Is(err, ErrInvalidSignature), errors.Is(err, ErrStaleEvent):
		return http.StatusUnauthorized
	case errors.Is(err, ErrPayloadTooLarge):
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusBadRequest
}

var errHandlerExited = errors.New("the handler ended its goroutine")

// run handles a claimed event. The claim is settled in a deferred call, so that
// no way to leave the handler, runtime.Goexit included, keeps it.
func (s *WebhookService) run(ctx context.Context, handlers EventHandlers, e *Event) (status int) {
	err := errHandlerExited
	defer func() {
		var details []slog.Attr
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
			details = append(details, slog.String("stack", string(debug.Stack())))
		}
		status = s.settle(ctx, e, err, details)
	}()
	err = handlers.handle(ctx, e)
	return status
}

func (s *WebhookService) settle(ctx context.Context, e *Event, handled error, details []slog.Attr) int {
	outcome := "acknowledged"
	switch {
	case errors.Is(handled, errDropped):
		outcome = "dropped"
	case handled != nil:
		s.log(ctx, slog.LevelError, "failed", e, handled, details...)
		s.release(ctx, e)
		return http.StatusInternalServerError
	}
	storeCtx, cancel := storeContext(ctx)
	defer cancel()
	if err := s.store.Done(storeCtx, e.ID); err != nil {
		s.log(ctx, slog.LevelError, "not marked done", e, err)
		return http.StatusServiceUnavailable
	}
	s.log(ctx, slog.LevelDebug, outcome, e, nil)
	return http.StatusNoContent
}

// release gives a claim back. It tries twice: while the claim is kept, the
// deliveries that follow are acknowledged as duplicates, and the event is lost.
func (s *WebhookService) release(ctx context.Context, e *Event) {
	var err error
	for range 2 {
		storeCtx, cancel := storeContext(ctx)
		err = s.store.Release(storeCtx, e.ID)
		cancel()
		if err == nil {
			return
		}
	}
	s.log(ctx, slog.LevelError, "not released", e, err)
}

// storeContext returns a context that goes on when the request's has ended: a
// claim that is taken or given up halfway would lose the event.
func storeContext(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
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
