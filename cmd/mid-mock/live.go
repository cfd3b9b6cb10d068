package main

import (
	"fmt"
	"net/http"
	"time"
)

const (
	lookEvery    = 300 * time.Millisecond
	speakEvery   = 15 * time.Second // so that a browser that has gone is noticed
	writeTimeout = 10 * time.Second
)

// live informs a page that the state has changed, by server-sent events: each
// carries the state's version. It looks only while a page is connected.
type live struct{ version func() string }

func (l live) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	stream := http.NewResponseController(w)
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	var sent string
	var spoke time.Time
	for {
		version := l.version()
		if version != sent || time.Since(spoke) >= speakEvery {
			if send(w, stream, version) != nil {
				return // the browser has gone
			}
			sent, spoke = version, time.Now()
		}
		select {
		case <-ticker.C:
		case <-r.Context().Done(): // of the browser, or of the server
			return
		}
	}
}

func send(w http.ResponseWriter, stream *http.ResponseController, version string) error {
	if err := stream.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, "retry: 1000\ndata: %s\n\n", version); err != nil {
		return err
	}
	return stream.Flush()
}
