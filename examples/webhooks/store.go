package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"
)

// keep is how long an event is remembered: well over the time for which MID
// may deliver it again.
const keep = 48 * time.Hour

// fileStore is an EventStore that remembers the handled events in a file, a
// line each, so that a restart does not forget them. It is for one process at
// a time: several need a store that they share, such as a database's table.
//
// Claims are kept in memory alone. Whoever held one when the process died has
// not acknowledged the event, so MID delivers it again.
type fileStore struct {
	mu      sync.Mutex
	file    *os.File
	claimed map[string]bool
	handled map[string]bool
	order   []handledEvent // the oldest first
}

// handledEvent is a line of the file.
type handledEvent struct {
	ID string    `json:"id"`
	At time.Time `json:"at"`
}

// openFileStore reads the file, if there is one, and writes it anew without
// what is too old.
func openFileStore(path string) (*fileStore, error) {
	s := &fileStore{claimed: map[string]bool{}, handled: map[string]bool{}}
	if err := s.load(path); err != nil {
		return nil, fmt.Errorf("reading the event store: %w", err)
	}
	s.forget(time.Now())
	if err := s.rewrite(path); err != nil {
		return nil, fmt.Errorf("writing the event store: %w", err)
	}
	return s, nil
}

func (s *fileStore) load(path string) error {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // it was only read
	lines := json.NewDecoder(file)
	for {
		var e handledEvent
		err := lines.Decode(&e)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil // a crash may have cut the last line off
		}
		if err != nil {
			return err
		}
		s.remember(e)
	}
}

// rewrite replaces the file at once, so that a crash leaves the old or the new,
// and leaves it open for more.
func (s *fileStore) rewrite(path string) error {
	var lines bytes.Buffer
	for _, e := range s.order {
		if err := json.NewEncoder(&lines).Encode(e); err != nil {
			return err
		}
	}
	next := path + ".new"
	if err := os.WriteFile(next, lines.Bytes(), 0o600); err != nil {
		return err
	}
	if err := os.Rename(next, path); err != nil {
		return err
	}
	var err error
	s.file, err = os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	return err
}

// Claim implements [mid.EventStore].
func (s *fileStore) Claim(_ context.Context, id string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(time.Now())
	if s.claimed[id] || s.handled[id] {
		return false, nil
	}
	s.claimed[id] = true
	return true, nil
}

// Done implements [mid.EventStore]. If the file can't be written, the event
// stays claimed, so that its next delivery does not run the handler again.
func (s *fileStore) Done(_ context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.claimed[id] {
		return nil
	}
	e := handledEvent{ID: id, At: time.Now()}
	if err := json.NewEncoder(s.file).Encode(e); err != nil { // one line, in one write
		return err
	}
	if err := s.file.Sync(); err != nil {
		return err
	}
	delete(s.claimed, id)
	s.remember(e)
	return nil
}

// Release implements [mid.EventStore].
func (s *fileStore) Release(_ context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.claimed, id)
	return nil
}

// Close closes the file.
func (s *fileStore) Close() error { return s.file.Close() }

func (s *fileStore) remember(e handledEvent) {
	if !s.handled[e.ID] {
		s.handled[e.ID] = true
		s.order = append(s.order, e)
	}
}

func (s *fileStore) forget(now time.Time) {
	for len(s.order) > 0 && now.Sub(s.order[0].At) > keep {
		delete(s.handled, s.order[0].ID)
		s.order = s.order[1:]
	}
}
