package midredis_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// script runs take.lua at times of its own.
type script struct {
	t     *testing.T
	rdb   *rawRedis
	text  string
	key   string
	begun time.Time
}

func newScript(t *testing.T) script {
	t.Helper()
	text, err := os.ReadFile("take.lua")
	require.NoError(t, err)
	return script{t, dialRaw(t, sharedRedis(t).addr), string(text), "mid:{" + newAccount() + "}:quota", time.Now()}
}

// processes asks for a process, of a plan of six a minute whose server reports nothing,
// and returns how many processes there are.
func (s script) processes(after time.Duration, process string, want, out int, pause time.Duration) int64 {
	s.t.Helper()
	reply, err := s.rdb.eval(s.begun.Add(after), []any{"EVAL", s.text, 1, s.key, process, 10_000_000, 1, want, out, 0, 1,
		pause.Microseconds(), -1, 0, 0, 0, -1, 0})
	require.NoError(s.t, err)
	return reply[3].(int64)
}

// A process that has died is forgotten after five seconds, though Redis' clock went back.
func TestProcessThatDiesAsTheClockGoesBack(t *testing.T) {
	s := newScript(t)
	s.processes(0, "a", 1, 0, 0)
	assert.EqualValues(t, 2, s.processes(0, "b", 0, 0, 0))
	assert.EqualValues(t, 2, s.processes(-10*time.Minute, "b", 0, 0, 0))
	assert.EqualValues(t, 1, s.processes(-10*time.Minute+7*time.Second, "b", 0, 0, 0))
}

// One that has a permit for later is counted until then, whatever it reports meanwhile.
func TestProcessWithAPermitForLaterIsCounted(t *testing.T) {
	s := newScript(t)
	s.processes(0, "a", 1, 0, 0)
	s.processes(0, "b", 1, 0, 0) // for ten seconds later
	s.processes(time.Second, "b", 0, 1, 0)
	assert.EqualValues(t, 2, s.processes(12*time.Second, "c", 0, 0, 0))
	s.processes(20*time.Second, "c", 0, 0, 0)
	assert.EqualValues(t, 1, s.processes(20*time.Second, "c", 0, 0, 0), "it has not come back")
}

// One that waits for the end of a long pause is counted.
func TestProcessThatWaitsForALongPauseIsCounted(t *testing.T) {
	s := newScript(t)
	s.processes(0, "a", 1, 0, 100*time.Second)
	assert.EqualValues(t, 2, s.processes(90*time.Second, "b", 0, 0, 0))
}
