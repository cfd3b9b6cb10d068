package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"
)

// writeTimeout is how long a browser may take to accept one event.
const writeTimeout = 10 * time.Second

// event is what the page is told.
type event struct {
	State     state `json:"state"`
	Remaining int   `json:"remaining"` // seconds
}

// stream sends server-sent events.
type stream struct {
	w  http.ResponseWriter
	rc *http.ResponseController
}

func (s stream) send(text string) error {
	// The server's write timeout is for pages; a stream has a deadline for
	// every event in its place.
	if err := s.rc.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	if _, err := fmt.Fprint(s.w, text, "\n\n"); err != nil {
		return err
	}
	return s.rc.Flush()
}

// events tells the page of the browser's flow how it goes on, until it ends.
func (a *app) events(w http.ResponseWriter, r *http.Request) {
	f := a.flows.of(a.cookie(r, flowCookie))
	if f == nil {
		w.WriteHeader(http.StatusNoContent) // which tells the page not to come again
		return
	}
	if !f.join() {
		http.Error(w, http.StatusText(http.StatusTooManyRequests), http.StatusTooManyRequests)
		return
	}
	defer f.leave()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would hold the events back
	if err := a.tell(r, stream{w, http.NewResponseController(w)}, f); err != nil && !errors.Is(err, r.Context().Err()) {
		a.log.Debug("a stream broke", slog.Any("error", err))
	}
}

// tell sends the flow's state now and whenever it changes.
func (a *app) tell(r *http.Request, s stream, f *flow) error {
	beat := time.NewTicker(a.beat)
	defer beat.Stop()
	prefix := "retry: 2000\n"
	for {
		state, changed := f.look()
		if a.ctx.Err() != nil {
			return nil // the flow ends because the app does, which is no news
		}
		data, err := json.Marshal(event{state, int(f.remaining().Seconds())})
		if err != nil {
			return err
		}
		if err := s.send(prefix + "event: state\ndata: " + string(data)); err != nil || state.final() {
			return err
		}
		prefix = ""
		for quiet := true; quiet; {
			select {
			case <-changed:
				quiet = false
			case <-beat.C:
				// Keeps proxies from closing the connection, and tells
				// whether anybody still listens.
				if err := s.send(":"); err != nil {
					return err
				}
			case <-r.Context().Done():
				return r.Context().Err()
			case <-a.ctx.Done():
				return nil
			}
		}
	}
}
