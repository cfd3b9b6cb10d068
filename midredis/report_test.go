package midredis

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/mobid-io/mid-go"
)

// Answers overtake each other, and within a window only the lowest counts.
func TestReportKeepsTheLowestOfTheLatestWindow(t *testing.T) {
	reset := time.Now().Add(time.Minute)
	seen := func(remaining int, reset time.Time) mid.RequestOutcome {
		return mid.RequestOutcome{Sent: true, RateLimit: mid.RateLimit{Limit: 100, Remaining: remaining, Reset: reset}}
	}
	var r report
	r.note(seen(50, reset), false)
	r.note(seen(40, reset.Add(time.Second)), false)
	r.note(seen(45, reset), false)
	assert.Equal(t, 40, r.quota.Remaining)
	r.note(seen(3, reset.Add(-time.Minute)), false)
	assert.Equal(t, 40, r.quota.Remaining, "of a window that is over")
	r.note(seen(99, reset.Add(time.Minute)), false)
	assert.Equal(t, 99, r.quota.Remaining, "of a new window")
}

// What a bucket has left may grow again.
func TestReportKeepsTheLatestOfABucket(t *testing.T) {
	reset := time.Now().Add(time.Minute)
	var r report
	for _, a := range []struct {
		remaining int
		reset     time.Duration
		left      int
	}{
		{1, 0, 1},
		{0, time.Second, 0},
		{1, 2 * time.Second, 1},
		{2, time.Second, 1}, // it was overtaken
	} {
		r.note(mid.RequestOutcome{Sent: true, RateLimit: mid.RateLimit{Limit: 100, Remaining: a.remaining, Reset: reset.Add(a.reset)}}, true)
		assert.Equal(t, a.left, r.quota.Remaining)
	}
}

// If Redis' answer was lost, Redis may have the report.
func TestReportIsPutBackWhenRedisMayNotHaveIt(t *testing.T) {
	r := report{back: 1}
	r.note(mid.RequestOutcome{Sent: true, RetryAfter: time.Second}, false)
	assert.True(t, r.urgent())
	lost := r
	r.sent()
	assert.False(t, r.urgent())
	r.back++
	r.again(lost)
	assert.Equal(t, report{back: 1, mute: 1, pause: time.Second}, r)
}
