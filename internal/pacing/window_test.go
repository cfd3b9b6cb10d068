package pacing

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// report lets one request go and observes its answer.
func (q *Queue) report(t *testing.T, o Outcome) {
	t.Helper()
	require.NoError(t, q.Wait(t.Context(), Ahead))
	q.Observe(o)
}

// send has the server answer a request as soon as it may go.
func (q *Queue) send(t *testing.T, srv counter) Outcome {
	t.Helper()
	require.NoError(t, q.Wait(t.Context(), Ordinary))
	now := time.Now().Add(lead)
	o := answered(srv.take(now)).at(now)
	q.Observe(o)
	return o
}

// What the answers report and what became of the requests say how many may go.
func TestWhatAnswersReportOfTheWindow(t *testing.T) {
	for name, tt := range map[string]struct {
		happens func(t *testing.T, q *Queue) // two are in flight at first
		want    int
	}{
		"what is in flight is not left": {func(_ *testing.T, q *Queue) {
			q.Observe(reported(9, 5, time.Minute))
		}, 4},
		"reports overtake each other": {func(_ *testing.T, q *Queue) {
			q.Observe(reported(9, 5, time.Minute))
			q.Observe(reported(9, 6, time.Minute))
		}, 5},
		// The server may have counted it.
		"a request without an answer is gone": {func(_ *testing.T, q *Queue) {
			q.Observe(reported(9, 5, time.Minute))
			q.Observe(lost)
		}, 4},
		"a lost request is not counted twice": {func(t *testing.T, q *Queue) {
			q.Observe(reported(9, 5, time.Minute))
			q.Observe(lost)
			q.report(t, reported(9, 3, time.Minute))
		}, 3},
		"a late answer is of a window that is over": {func(t *testing.T, q *Queue) {
			late := reported(9, 0, 4*time.Second)
			time.Sleep(5 * time.Second)
			q.Observe(reported(9, 8, time.Minute))
			q.Observe(late)
		}, 8},
		// However wrong it is about the server's clock.
		"the first answer was slow": {func(t *testing.T, q *Queue) {
			first, second := reported(9, 7, time.Minute), reported(9, 6, time.Minute)
			time.Sleep(9 * time.Second)
			q.Observe(first)
			q.Observe(second)
			q.report(t, reported(9, 5, 51*time.Second))
		}, 5},
		"the server grants another plan": {func(_ *testing.T, q *Queue) {
			q.Observe(reported(9, 0, time.Minute))
			q.Observe(reported(90, 80, time.Minute))
		}, 80},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := NewQueue(nil, time.Hour)
				q.window.Take() // as if nothing had been reported in the meantime
				q.window.Take()
				tt.happens(t, q)
				require.Equal(t, tt.want, places(t, q))
			})
		})
	}
}

// An answer that reports no quota, or one that it contradicts itself, holds no
// caller back: neither at first nor after others have reported one.
func TestAnswersThatReportNothing(t *testing.T) {
	now := func() time.Time { return time.Now().Truncate(time.Second) }
	for name, o := range map[string]func() Outcome{
		"no headers":      func() Outcome { return Outcome{Sent: true, Answered: true} },
		"a limit of zero": func() Outcome { return reported(0, 0, time.Minute) },
		"more is left than there is": func() Outcome {
			return reported(5, 6, time.Minute)
		},
		"a window that was over before": func() Outcome {
			return Outcome{Sent: true, Answered: true, Quota: Quota{Limit: 5, Remaining: 0, Reset: now().Add(-time.Minute)}}
		},
		"seconds in place of a time": func() Outcome {
			return Outcome{Sent: true, Answered: true, Quota: Quota{Limit: 5, Remaining: 0, Reset: time.Unix(60, 0)}}
		},
		"the year 9000": func() Outcome {
			return Outcome{Sent: true, Answered: true, Quota: Quota{Limit: 5, Remaining: 0, Reset: now().AddDate(7000, 0, 0)}}
		},
	} {
		for _, known := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					q := NewQueue(nil, time.Hour)
					if known {
						q.report(t, reported(5, 4, time.Minute))
						time.Sleep(62 * time.Second)
						require.Equal(t, 4, places(t, q), "what was left, until an answer reports the new window")
					} else {
						require.Equal(t, 1, places(t, q))
					}
					q.Observe(o())
					require.Equal(t, 1000, places(t, q))
				})
			})
		}
	}
}

// While nothing is known one request goes and asks. Should its answer not come,
// twice as many may go for each second, and for each request that fails.
func TestAsking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := NewQueue(nil, time.Hour)
		time.Sleep(time.Hour) // an idle client is not bolder for it
		require.Equal(t, 1, places(t, q))
		time.Sleep(time.Second)
		require.Equal(t, 1, places(t, q))
		time.Sleep(time.Second)
		require.Equal(t, 2, places(t, q))
		q.Observe(lost)
		require.Equal(t, 4, places(t, q))
		q.Observe(reported(60, 59, time.Minute))
		require.Equal(t, 59-6, places(t, q))
	})
}

// A Reset that is far away may be a mistake. It is believed for the patience of
// the queue, and then one request asks again.
func TestFarResetIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := NewQueue(nil, 2*time.Minute)
		q.report(t, reported(60, 0, 24*time.Hour))
		require.Zero(t, places(t, q))
		time.Sleep(2*time.Minute - time.Second)
		require.Zero(t, places(t, q))
		time.Sleep(time.Second)
		require.Equal(t, 1, places(t, q))
		q.Observe(reported(60, 59, time.Minute))
		require.Equal(t, 59, places(t, q), "it was a mistake")
	})
}

// So is a 429 that asks for a day.
func TestFarPauseIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := NewQueue(nil, 2*time.Minute)
		q.report(t, Outcome{Sent: true, Answered: true, RetryAfter: 24 * time.Hour})
		var refusal *Refusal
		require.ErrorAs(t, q.Wait(t.Context(), Ordinary), &refusal)
		require.Equal(t, 24*time.Hour, refusal.Wait)
		time.Sleep(2*time.Minute + 10*time.Second)
		require.Equal(t, 1, places(t, q))
	})
}

// Of a bucket it is known that tokens come in, so that a caller who would have
// room in time is not refused: 20 tokens come in while one waits for 20 s.
func TestBucketHasRoomBeforeItIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, srv := NewQueue(nil, time.Hour), &tokens{plan: published["Sandbox"]}
		for range 120 {
			q.send(t, srv)
		}
		require.Equal(t, refilling, q.window.state)
		refused := 0
		for n := range 40 {
			if q.refusal(time.Now(), time.Now().Add(20*time.Second), n) != nil {
				refused++
			}
		}
		require.InDelta(t, 20, refused, 2)
		for range 300 {
			require.Zero(t, q.send(t, srv).RetryAfter)
			require.Equal(t, refilling, q.window.state)
		}
	})
}

// A server that counts by windows is never taken for one that keeps a bucket,
// whatever the window is used for: it would be sent more than it grants.
func TestWindowIsNotTakenForABucket(t *testing.T) {
	for _, gap := range []time.Duration{0, 10 * time.Millisecond, 600 * time.Millisecond, 7 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(29*time.Second + 123*time.Millisecond)
			q, srv := NewQueue(nil, time.Hour), &windows{limit: 100, length: time.Minute}
			for range 500 {
				require.Zero(t, q.send(t, srv).RetryAfter)
				require.NotEqual(t, refilling, q.window.state)
				time.Sleep(gap)
			}
		})
	}
}

// Who has had a whole window lets others begin the next, if there are any: every
// time, if it has seen some, and else every fifth time, to find out.
func TestYield(t *testing.T) {
	s := share{ours: 100}
	s.see(100)
	require.Equal(t, yield, s.pause(100), "the first time")
	for range yieldEvery - 1 {
		s.begin(100)
		require.Zero(t, s.pause(100))
	}
	s.begin(100)
	require.Equal(t, yield, s.pause(100))
	s.begin(50)
	s.see(80)
	require.Equal(t, yield/2, s.pause(100), "half a window, and others have had some")
	s.begin(50)
	require.Equal(t, yield/2, s.pause(100))
}

// What the client shows is what may go now.
func TestQuotaIsWhatMayGoNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := NewQueue(nil, time.Hour)
		require.Zero(t, q.Quota())
		q.report(t, reported(60, 59, time.Minute))
		reset := time.Now().Add(time.Minute)
		for range 9 {
			require.NoError(t, q.Wait(t.Context(), Ordinary))
		}
		require.Equal(t, 50, q.Quota().Remaining)
		require.True(t, q.Quota().Reset.Equal(reset))
		q.Observe(Outcome{Sent: true, Answered: true, RetryAfter: time.Second})
		require.Zero(t, q.Quota().Remaining, "a pause")
		time.Sleep(time.Second)
		require.Equal(t, 51, q.Quota().Remaining)
		time.Sleep(time.Minute)
		require.Equal(t, 52, q.Quota().Remaining, "another window, and eight in flight")
	})
}
