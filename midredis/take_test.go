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

// asking is what a process reports.
type asking struct {
	want, out   int
	pause, held time.Duration
}

// processes asks for a process, of a plan of six a minute whose server reports nothing,
// and returns how many processes there are.
func (s script) processes(after time.Duration, process string, a asking) int64 {
	s.t.Helper()
	reply, err := s.rdb.eval(s.begun.Add(after), []any{"EVAL", s.text, 1, s.key, process, 10_000_000, 1, a.want, a.out, 0, 1,
		a.pause.Microseconds(), -1, 0, 0, 0, -1, 0, a.held.Microseconds()})
	require.NoError(s.t, err)
	return reply[3].(int64)
}

// A process that has died is forgotten after five seconds, though Redis' clock went back.
func TestProcessThatDiesAsTheClockGoesBack(t *testing.T) {
	s := newScript(t)
	s.processes(0, "a", asking{want: 1})
	assert.EqualValues(t, 2, s.processes(0, "b", asking{}))
	assert.EqualValues(t, 2, s.processes(-10*time.Minute, "b", asking{}))
	assert.EqualValues(t, 1, s.processes(-10*time.Minute+7*time.Second, "b", asking{}))
}

// One that has a permit for later is counted until then, whatever it reports meanwhile.
func TestProcessWithAPermitForLaterIsCounted(t *testing.T) {
	s := newScript(t)
	s.processes(0, "a", asking{want: 1})
	s.processes(0, "b", asking{want: 1}) // for ten seconds later
	s.processes(time.Second, "b", asking{out: 1, held: 9 * time.Second})
	assert.EqualValues(t, 2, s.processes(12*time.Second, "c", asking{}))
	s.processes(20*time.Second, "c", asking{})
	assert.EqualValues(t, 1, s.processes(20*time.Second, "c", asking{}), "it has not come back")
}

// One that waits for the end of a long pause is counted.
func TestProcessThatWaitsForALongPauseIsCounted(t *testing.T) {
	s := newScript(t)
	s.processes(0, "a", asking{want: 1, pause: 100 * time.Second})
	assert.EqualValues(t, 2, s.processes(90*time.Second, "b", asking{}))
}

// One whose caller has left before the end of a pause is soon forgotten if it dies.
func TestProcessThatGaveUpAWaitIsForgotten(t *testing.T) {
	s := newScript(t)
	s.processes(0, "a", asking{want: 1, out: 1, pause: 100 * time.Second})
	s.processes(time.Second, "a", asking{out: 1})
	assert.EqualValues(t, 2, s.processes(5*time.Second, "b", asking{}))
	assert.EqualValues(t, 1, s.processes(7*time.Second, "b", asking{}))
}
