package midtest

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/mobid-io/mid-go"
)

// withoutTimers runs f with a client of a server whose timers never fire: the
// latest that they can be.
func withoutTimers(t *testing.T, f func(t *testing.T, s *Server, client *mid.Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := NewServer(WithInMemory())
		defer s.Close()
		s.timers.close()
		f(t, s, s.Client())
	})
}

// succeeded is an error unless there was one.
func succeeded(err error) error {
	if err == nil {
		return errors.New("what should be refused succeeded")
	}
	return nil
}

// planted is a mistake in an implementation that a conformance test must find.
type planted struct {
	implementation func(t *testing.T, mistake string)
	promise        string // the subtest that fails
	says           string // part of what it says
}
