package midweb

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/mobid-io/mid-go"
)

const (
	// linger is how long a session is followed after the last look at it: a
	// page without scripts comes again every few seconds, and a connection that
	// broke is soon replaced.
	linger = 10 * time.Second
	// maxStreams is how many tabs may follow one session in one process:
	// browsers allow a site six connections.
	maxStreams = 4
)

// watch is one session, as this process sees it.
type watch struct {
	id string

	mu      sync.Mutex
	session *mid.AuthSession // as last seen; nil before that
	state   state
	changed chan struct{} // closed when the state changes

	// These belong to the watches.
	lookers, streams int
	begun            bool // whether it has been followed
	stop             context.CancelFunc
	idle             *time.Timer
}

// look returns what is known, and a channel that is closed when that changes.
func (w *watch) look() (*mid.AuthSession, state, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.session, w.state, w.changed
}

// set notes what was seen, and reports whether that is another state.
func (w *watch) set(session *mid.AuthSession, s state) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if session != nil {
		w.session = session
	}
	if w.state == s {
		return false
	}
	w.state = s
	close(w.changed)
	w.changed = make(chan struct{})
	return true
}

// watches follow the sessions that someone looks at: one poller for all who
// look at the same session, and no poller for those that no one looks at.
type watches struct {
	auth *mid.AuthenticationService
	poll mid.PollOptions
	pace func(n int, own time.Duration) time.Duration
	log  *slog.Logger

	ctx     context.Context // ends with the site
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu      sync.Mutex
	byID    map[string]*watch
	pollers int
}

func newWatches(auth *mid.AuthenticationService, poll mid.PollOptions, pace func(int, time.Duration) time.Duration, log *slog.Logger) *watches {
	ctx, cancel := context.WithCancel(context.Background())
	return &watches{
		auth: auth, poll: poll, pace: pace, log: log,
		ctx: ctx, cancel: cancel,
		byID: make(map[string]*watch),
	}
}

// close ends all pollers, and returns when they have ended.
func (ws *watches) close() {
	ws.mu.Lock()
	ws.cancel()
	for _, w := range ws.byID {
		w.idle.Stop()
	}
	ws.mu.Unlock()
	ws.running.Wait()
}

// closing is closed when the pollers are to end.
func (ws *watches) closing() <-chan struct{} { return ws.ctx.Done() }

// seed spares the first look at a session that MID has just created.
func (ws *watches) seed(session *mid.AuthSession) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	w := ws.get(session.ID)
	w.set(session, stateOf(session.Status))
}

// follows reports whether a look at a session costs no request of its own.
func (ws *watches) follows(id string) bool {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	return ws.byID[id] != nil
}

// join counts someone who looks at a session until they leave, and has it
// followed meanwhile.
func (ws *watches) join(id string) *watch {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	w := ws.get(id)
	w.lookers++
	w.idle.Stop()
	if !w.begun && ws.ctx.Err() == nil {
		w.begun = true
		ctx, stop := context.WithCancel(ws.ctx)
		w.stop = stop
		ws.pollers++
		ws.running.Go(func() {
			defer stop()
			ws.follow(ctx, w)
			ws.mu.Lock()
			defer ws.mu.Unlock()
			ws.pollers--
		})
	}
	return w
}

func (ws *watches) leave(w *watch) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if w.lookers--; w.lookers == 0 && ws.ctx.Err() == nil {
		w.idle.Reset(linger)
	}
}

// stream is join for a tab that stays. It is nil if there are too many.
func (ws *watches) stream(id string) *watch {
	w := ws.join(id)
	ws.mu.Lock()
	full := w.streams == maxStreams
	if !full {
		w.streams++
	}
	ws.mu.Unlock()
	if full {
		ws.leave(w)
		return nil
	}
	return w
}

func (ws *watches) leaveStream(w *watch) {
	ws.mu.Lock()
	w.streams--
	ws.mu.Unlock()
	ws.leave(w)
}

func (ws *watches) get(id string) *watch {
	w := ws.byID[id]
	if w == nil {
		w = &watch{id: id, changed: make(chan struct{})}
		w.idle = time.AfterFunc(linger, func() { ws.forget(w) })
		ws.byID[id] = w
	}
	return w
}

// forget ends a watch that no one looks at.
func (ws *watches) forget(w *watch) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if w.lookers > 0 {
		return // someone came as the timer fired
	}
	delete(ws.byID, w.id)
	if w.stop != nil {
		w.stop()
	}
}

// follow looks at the session until its state is final or ctx ends. The SDK's
// own watch looks when it begins, and when an event wakes it; it is begun anew
// for every look, because how soon there may be another depends on how many
// sessions are followed.
func (ws *watches) follow(ctx context.Context, w *watch) {
	own := ws.poll.MinInterval
	if seen, _, _ := w.look(); seen != nil && !sleep(ctx, min(own, time.Second)) {
		return
	}
	for ctx.Err() == nil {
		if ws.round(ctx, w, &own) {
			return
		}
	}
}

// round looks once, waits for the time of the next look, and looks at every
// event meanwhile. It reports whether there is nothing more to see.
func (ws *watches) round(ctx context.Context, w *watch, own *time.Duration) (over bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	next := time.AfterFunc(time.Hour, cancel)
	defer next.Stop()
	next.Stop() // a look that takes long is not cut short
	pause := ws.pause(*own)
	retry := mid.PollOptions{MinInterval: 2 * pause, MaxInterval: 2 * pause} // after a failure that may pass
	for session, err := range ws.auth.WatchSession(ctx, w.id, retry) {
		if err != nil {
			if ctx.Err() != nil {
				return false
			}
			ws.log.Error("midweb: can't follow a sign-in", slog.String("session", w.id), slog.Any("error", err))
			w.set(nil, failed)
			return true
		}
		*own = min(*own+*own/2, ws.poll.MaxInterval)
		s := stateOf(session.Status)
		if w.set(session, s) {
			*own = ws.poll.MinInterval
		}
		if s.final() {
			return true
		}
		next.Reset(ws.pause(*own))
	}
	if ctx.Err() != nil {
		return false
	}
	w.set(nil, expired) // the watch ends by itself once the session's time is over
	return true
}

func (ws *watches) pause(own time.Duration) time.Duration {
	ws.mu.Lock()
	n := ws.pollers
	ws.mu.Unlock()
	return ws.pace(n, own)
}

// sleep reports whether d has passed before ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
