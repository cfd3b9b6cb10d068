package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/mobid-io/mid-go"
)

const (
	keep       = 48 * time.Hour // well over the time for which MID may deliver an event again
	spareLines = 1000           // of forgotten events that are not worth writing the file anew for
)

// fileStore is an EventStore that remembers handled events in a file, a line
// each, so that a restart does not forget them. A lock keeps other processes
// out. Claims are kept in memory only: if the process dies they are free, and
// MID delivers their events again.
type fileStore struct {
	path string
	lock io.Closer

	mu      sync.Mutex
	file    *os.File
	lines   int // of the file
	limit   int // of lines, before the file is written anew
	claims  map[string]*fileClaim
	handled map[string]time.Time
}

// handledEvent is a line of the file.
type handledEvent struct {
	ID string    `json:"id"`
	At time.Time `json:"at"`
}

// line begins with the line break: one that was cut off then spoils no other.
func (e handledEvent) line() []byte {
	text, _ := json.Marshal(e) // a string and a time always marshal
	return append([]byte("\n"), text...)
}

func openFileStore(path string) (*fileStore, error) {
	lock, err := lockFile(path + ".lock")
	if err != nil {
		return nil, fmt.Errorf("locking the event store: %w", err)
	}
	s := &fileStore{path: path, lock: lock, claims: map[string]*fileClaim{}, handled: map[string]time.Time{}}
	err = s.load()
	if err == nil {
		err = s.rewrite()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the event store: %w", err), lock.Close())
	}
	return s, nil
}

// load leaves out lines that a crash or a full disk has cut off, or has filled
// with NUL bytes. A file with anything else is not an event store.
func (s *fileStore) load() error {
	switch info, err := os.Lstat(s.path); {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is a link, or not a file", s.path)
	}
	text, err := os.ReadFile(s.path)
	if err != nil {
		return err
	}
	const begin = `{"id":`
	for line := range bytes.Lines(text) {
		line = bytes.Trim(line, "\x00 \r\n")
		var e handledEvent
		if json.Unmarshal(line, &e) == nil {
			s.handled[e.ID] = e.At
		} else if !bytes.HasPrefix(line, []byte(begin)) && !bytes.HasPrefix([]byte(begin), line) {
			return fmt.Errorf("%s has a line that is not an event: is it the right file?", s.path)
		}
	}
	return nil
}

// rewrite replaces the file by one without what is too old, at once, so that a
// crash leaves the old or the new. It never follows a link: the new file has a
// name that is its own, and it is that file which is opened again. Both are
// closed in between, because not every system renames one that is open.
func (s *fileStore) rewrite() error {
	maps.DeleteFunc(s.handled, func(_ string, at time.Time) bool { return time.Since(at) > keep })
	maps.DeleteFunc(s.claims, func(_ string, c *fileClaim) bool { return !time.Now().Before(c.expires) })
	next, err := os.CreateTemp(filepath.Dir(s.path), filepath.Base(s.path)+".new-*")
	if err != nil {
		return err
	}
	var text []byte
	for id, at := range s.handled {
		text = append(text, handledEvent{id, at}.line()...)
	}
	_, err = next.Write(text)
	written, statErr := next.Stat()
	if err := errors.Join(err, statErr, next.Sync(), next.Close()); err != nil {
		return errors.Join(err, os.Remove(next.Name()))
	}
	if s.file != nil {
		_ = s.file.Close() // all that it holds is in the new one
	}
	if err := os.Rename(next.Name(), s.path); err != nil {
		return errors.Join(err, os.Remove(next.Name()))
	}
	if s.file, err = os.OpenFile(s.path, os.O_WRONLY|os.O_APPEND, 0); err != nil {
		return err
	}
	s.lines, s.limit = len(s.handled), 2*len(s.handled)+spareLines
	if opened, err := s.file.Stat(); err != nil || !os.SameFile(written, opened) {
		return errors.Join(err, s.file.Close(), fmt.Errorf("%s was replaced", s.path))
	}
	return nil
}

// Claim implements [mid.EventStore].
func (s *fileStore) Claim(_ context.Context, id string, lease time.Duration) (mid.EventClaim, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, handled := s.handled[id]; handled && time.Since(at) <= keep {
		return nil, mid.ErrEventHandled
	}
	now := time.Now()
	if c := s.claims[id]; c != nil && now.Before(c.expires) {
		return nil, mid.ErrEventInHand
	}
	c := &fileClaim{store: s, id: id, expires: now.Add(lease)}
	s.claims[id] = c
	return c, nil
}

// Close closes the file and gives the lock back.
func (s *fileStore) Close() error { return errors.Join(s.file.Close(), s.lock.Close()) }

// fileClaim is the claim of an event.
type fileClaim struct {
	store   *fileStore
	id      string
	expires time.Time
}

// Context implements [mid.EventClaim].
func (*fileClaim) Context(ctx context.Context) (context.Context, error) { return ctx, nil }

// Done implements [mid.EventClaim].
func (c *fileClaim) Done(context.Context) error {
	s := c.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.claims[c.id] != c || !time.Now().Before(c.expires) {
		return mid.ErrClaimLost
	}
	e := handledEvent{ID: c.id, At: time.Now()}
	if _, err := s.file.Write(e.line()); err != nil {
		return err
	}
	if err := s.file.Sync(); err != nil {
		return err
	}
	delete(s.claims, c.id)
	s.handled[e.ID] = e.At
	if s.lines++; s.lines > s.limit {
		return s.rewrite() // after an error MID delivers again, and finds the event handled
	}
	return nil
}

// Release implements [mid.EventClaim].
func (c *fileClaim) Release(context.Context) error {
	s := c.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.claims[c.id] == c {
		delete(s.claims, c.id)
	}
	return nil
}
