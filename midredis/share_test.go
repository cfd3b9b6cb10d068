package midredis

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/mobid-io/mid-go"
)

func TestShareIsAPartOfTheRate(t *testing.T) {
	now := time.Now()
	s := share{processes: 4}
	for i := range 5 {
		assert.Equal(t, now.Add(time.Duration(4*i)*time.Second), s.slot(time.Second, mid.RateLimit{}, i, now))
	}
	later := now.Add(time.Hour)
	assert.Equal(t, later, s.slot(time.Second, mid.RateLimit{}, 0, later), "what was not used is not kept")
}

func TestShareIsAPartOfTheWindow(t *testing.T) {
	now := time.Now()
	reset := now.Add(time.Minute)
	s := share{processes: 4}
	window := mid.RateLimit{Limit: 100, Remaining: 8, Reset: reset}
	assert.Equal(t, now, s.slot(time.Millisecond, window, 0, now))
	assert.True(t, s.slot(time.Millisecond, window, 1, now).Before(reset))
	assert.Equal(t, reset, s.slot(time.Millisecond, window, 2, now), "a third of two")
}
