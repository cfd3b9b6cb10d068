package midweb

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/mobid-io/mid-go"
)

// admitted counts how many of n starts at a place are admitted.
func admitted(b *brake, place string, n int) int {
	count := 0
	for range n {
		if b.admit(place, "") {
			count++
		}
	}
	return count
}

func professional() mid.RateLimit { return mid.RateLimit{Limit: 1000, Remaining: 1000} }

func TestBrakePerAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBrake(Brake{}, professional)
		assert.Equal(t, defaultPerAddress/2, admitted(b, "192.0.2.1", 1000))
		assert.Equal(t, defaultPerAddress/2, admitted(b, "192.0.2.2", 1000), "one address does not count for another")
		assert.True(t, b.admit("192.0.2.1", "waited"), "the other half is kept for those who wait")
		assert.False(t, b.admit("192.0.2.1", "waited"), "a ticket is good once")
		time.Sleep(time.Minute)
		assert.Equal(t, defaultPerAddress/2, admitted(b, "192.0.2.1", 1000))

		b = newBrake(Brake{PerAddress: -1}, professional)
		assert.Equal(t, 41, admitted(b, "192.0.2.1", 1000), "no bound but that of all")
	})
}

func TestBrakeInAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBrake(Brake{}, professional)
		fresh := 0
		for i := range 1000 {
			fresh += admitted(b, fmt.Sprint("place ", i), 1)
		}
		assert.Equal(t, 41, fresh, "half of 83, of the half of 1000")
		waited := 0
		for i := range 1000 {
			if b.admit(fmt.Sprint("place ", i), fmt.Sprint("ticket ", i)) {
				waited++
			}
		}
		assert.Equal(t, 42, waited)
		// A minute of both: those who wait come first.
		fresh, waited = 0, 0
		for i := range 60_000 {
			time.Sleep(time.Millisecond)
			fresh += admitted(b, fmt.Sprint("flood ", i), 1)
			if i%1000 == 0 && b.admit(fmt.Sprint("person ", i), fmt.Sprint("turn ", i)) {
				waited++
			}
		}
		assert.GreaterOrEqual(t, waited, 59)
		assert.LessOrEqual(t, fresh+waited, 84)
	})
}

func TestBrakeForgetsPlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBrake(Brake{Share: 1}, func() mid.RateLimit { return mid.RateLimit{Limit: 60_000} })
		for i := range 300 {
			b.admit(fmt.Sprint("early ", i), "")
		}
		time.Sleep(3 * sweepPause)
		b.admit("late", "")
		assert.Len(t, b.places, 1)
	})
}

// The account's quota counts for all of its processes: what the headers say
// holds the sign-ins of each back once all have used their share.
func TestBrakeSparesTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var quota mid.RateLimit
		fresh := func() *brake { return newBrake(Brake{PerAddress: -1}, func() mid.RateLimit { return quota }) }
		in := func(d time.Duration, remaining int) mid.RateLimit {
			return mid.RateLimit{Limit: 1000, Remaining: remaining, Reset: time.Now().Add(d)}
		}
		for name, test := range map[string]struct {
			quota mid.RateLimit
			want  bool
		}{
			"nothing known":                         {mid.RateLimit{}, true},
			"nothing used":                          {in(time.Minute, 1000), true},
			"the share used":                        {in(time.Minute, 500), false},
			"the share used, and the rest's by now": {in(30*time.Second, 250), false},
			"part of the share used":                {in(30*time.Second, 300), true},
			"a window that has passed":              {in(-time.Second, 0), true},
			"a window longer than a minute":         {in(time.Hour, 600), true},
		} {
			quota = test.quota
			assert.Equal(t, test.want, fresh().admit("192.0.2.1", ""), name)
		}
		b := fresh()
		quota = in(time.Hour, 0) // by a clock that is an hour ahead
		assert.False(t, b.admit("192.0.2.1", ""))
		time.Sleep(stale + time.Second)
		assert.True(t, b.admit("192.0.2.1", ""), "what no answer renews says nothing for ever")
	})
}

func TestBrakePace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBrake(Brake{}, professional) // 250 looks a minute
		assert.Equal(t, time.Second, b.pace(1, time.Second))
		assert.Equal(t, 24*time.Second, b.pace(100, time.Second))
		quota := mid.RateLimit{Limit: 1000, Remaining: 10, Reset: time.Now().Add(time.Minute)}
		b = newBrake(Brake{}, func() mid.RateLimit { return quota })
		assert.Equal(t, tightPause, b.pace(1, time.Second))
	})
}
