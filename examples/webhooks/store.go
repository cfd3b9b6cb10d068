package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/mobid-io/mid-go"
)

// keep is how long an event is remembered: well over the time for which MID
// may deliver it again.
const keep = 48 * time.Hour

// spareLines are those of forgotten events that are not worth to write the file
// anew for.
const spareLines = 1000

// fileStore is an EventStore that remembers the handled events in a file, a
// line each, so that a restart does not forget them. It is for one process at
// a time: several need a store that they share, such as a database's table.
//
// Claims are kept in memory alone. Whoever held one when the process died has
// not acknowledged the event, so MID delivers it again.
type fileStore struct {
	path string
	log  *slog.Logger

	mu      sync.Mutex
	file    *os.File
	lines   int // of the file
	claims  map[string]*fileClaim
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
func openFileStore(path string, log *slog.Logger) (*fileStore, error) {
	s := &fileStore{path: path, log: log, claims: map[string]*fileClaim{}, handled: map[string]bool{}}
	broken, err := s.load()
	if err != nil {
		return nil, fmt.Errorf("reading the event store: %w", err)
	}
	if broken > 0 {
		log.Warn("lines of the event store can't be read and are left out", slog.Int("lines", broken))
	}
	s.forget(time.Now())
	if err := s.rewrite(); err != nil {
		return nil, fmt.Errorf("writing the event store: %w", err)
	}
	return s, nil
}

// load counts the lines that were cut off, by a crash or a full disk. A file
// that holds anything else is somebody else's, and left alone.
func (s *fileStore) load() (broken int, err error) {
	text, err := os.ReadFile(s.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	const begin = `{"id":`
	for line := range bytes.Lines(text) {
		line = bytes.TrimSpace(line)
		var e handledEvent
		switch {
		case len(line) == 0:
		case !bytes.HasPrefix(line, []byte(begin)) && !bytes.HasPrefix([]byte(begin), line):
			return 0, fmt.Errorf("%s has a line that is no event: is it the right file?", s.path)
		case json.Unmarshal(line, &e) != nil:
			broken++
		default:
			s.remember(e)
		}
	}
	return broken, nil
}

// rewrite replaces the file at once, so that a crash leaves the old or the new,
// and opens it for more. It closes both files before: not every system renames
// one that is open.
func (s *fileStore) rewrite() error {
	next := s.path + ".new"
	if err := s.write(next); err != nil {
		return err
	}
	if s.file != nil {
		_ = s.file.Close() // all that it holds is in the new one
	}
	err := os.Rename(next, s.path)
	if err == nil {
		s.lines = len(s.order)
	}
	var failure error
	s.file, failure = os.OpenFile(s.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	return errors.Join(err, failure)
}

func (s *fileStore) write(path string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	var text []byte
	for _, e := range s.order {
		text = append(text, e.line()...)
	}
	_, err = file.Write(text)
	return errors.Join(err, file.Sync(), file.Close())
}

// line begins with the line break: one that was cut off then spoils no other.
func (e handledEvent) line() []byte {
	text, err := json.Marshal(e)
	if err != nil {
		panic(err) // a string and a time
	}
	return append([]byte("\n"), text...)
}

// Claim implements [mid.EventStore].
func (s *fileStore) Claim(_ context.Context, id string, lease time.Duration) (mid.EventClaim, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.forget(now)
	if s.handled[id] {
		return nil, mid.ErrEventHandled
	}
	if held := s.claims[id]; held != nil && now.Before(held.expires) {
		return nil, mid.ErrEventInHand
	}
	c := &fileClaim{store: s, id: id, expires: now.Add(lease)}
	s.claims[id] = c
	return c, nil
}

// fileClaim is a claim of an event.
type fileClaim struct {
	store   *fileStore
	id      string
	expires time.Time
}

// Context implements [mid.EventClaim].
func (*fileClaim) Context(ctx context.Context) (context.Context, error) { return ctx, nil }

// Done implements [mid.EventClaim].
func (c *fileClaim) Done(ctx context.Context) error {
	s := c.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.claims[c.id] != c || !time.Now().Before(c.expires) {
		return mid.ErrClaimLost
	}
	if err := s.append(ctx, handledEvent{ID: c.id, At: time.Now()}); err != nil {
		return err
	}
	delete(s.claims, c.id)
	return nil
}

// Release implements [mid.EventClaim].
func (c *fileClaim) Release(context.Context) error {
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	if c.store.claims[c.id] == c {
		delete(c.store.claims, c.id)
	}
	return nil
}

func (s *fileStore) append(ctx context.Context, e handledEvent) error {
	if _, err := s.file.Write(e.line()); err != nil {
		return err
	}
	if err := s.file.Sync(); err != nil {
		return err
	}
	s.remember(e)
	s.lines++
	if s.lines > 2*len(s.order)+spareLines {
		if err := s.rewrite(); err != nil { // the event is done all the same
			s.log.LogAttrs(ctx, slog.LevelError, "the event store can't be written anew", slog.Any("error", err))
		}
	}
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
