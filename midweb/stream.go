package midweb

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

const (
	writeTimeout = 10 * time.Second // for a browser to take one event
	beat         = 15 * time.Second // between signs of life on a quiet stream
	streamLife   = time.Minute      // then the page asks again, perhaps another process
)

// event is what the page gets to know.
type event struct {
	State     state `json:"state"`
	Remaining int   `json:"remaining"` // seconds
}

// What an event says beside the states of a session.
const (
	gone  state = "gone"  // the browser has no flow (any more)
	moved state = "moved" // it has another one: the tab shows an old code
)

// stream sends server-sent events.
type stream struct {
	w  http.ResponseWriter
	rc *http.ResponseController
}

// newStream begins the answer.
func newStream(w http.ResponseWriter) stream {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would hold the events back
	return stream{w, http.NewResponseController(w)}
}

// send sends one event, or a comment. A writer that can't flush or has no
// deadline is fine: the answer ends with the first news.
func (s stream) send(text string) error {
	// The server's write timeout is for pages; a stream has a deadline for
	// every event in its place.
	if err := s.rc.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := fmt.Fprint(s.w, text, "\n\n"); err != nil {
		return err
	}
	if err := s.rc.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}

func (s stream) event(name state, remaining time.Duration) error {
	data, err := json.Marshal(event{name, int(remaining.Seconds())})
	if err != nil {
		return err
	}
	return s.send("retry: 2000\nevent: state\ndata: " + string(data))
}

// tell sends the state of a flow, and the next one when it comes. Then the
// answer ends, so that a proxy that holds answers back until then delays no
// news, and the page asks again. seen is the state that the page shows.
func (s stream) tell(r *http.Request, w *watch, f flow, seen string, closing <-chan struct{}) error {
	beats := time.NewTicker(beat)
	defer beats.Stop()
	end := time.NewTimer(streamLife)
	defer end.Stop()
	_, current, changed := w.look()
	if current == "" { // the first look is under way
		current = state(seen)
	}
	for first := true; ; first = false {
		if err := s.event(current, f.remaining(time.Now())); err != nil {
			return err
		}
		if string(current) != seen || !first {
			return nil
		}
		for quiet := true; quiet; {
			select {
			case <-changed:
				_, current, changed = w.look()
				quiet = string(current) == seen
			case <-beats.C:
				// It also shows whether someone still listens.
				if err := s.send(":"); err != nil {
					return err
				}
			case <-end.C:
				return nil
			case <-closing:
				return nil
			case <-r.Context().Done():
				return r.Context().Err()
			}
		}
	}
}
