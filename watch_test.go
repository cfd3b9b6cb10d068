package mid_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/mobid-io/mid-go"
)

// story is a resource that changes with time, counted from the first look.
type story struct {
	start time.Time
	looks []time.Duration
	tell  func(at time.Duration) (*http.Response, error)
}

func (s *story) handle(*http.Request) (*http.Response, error) {
	if s.start.IsZero() {
		s.start = time.Now()
	}
	at := time.Since(s.start)
	s.looks = append(s.looks, at)
	return s.tell(at)
}

// authAt is an authentication session that expires five minutes after the
// test's start, by a clock that is skew ahead.
func authAt(state string, skew time.Duration, start time.Time) (*http.Response, error) {
	data := fmt.Sprintf(`{"id":"sess_1","status":%q,"intent":"login","qr_code":"","qr_data":"","created_at":%q,"expires_at":%q}`, state,
		start.Add(skew).UTC().Format(time.RFC3339), start.Add(skew+5*time.Minute).UTC().Format(time.RFC3339))
	body := `{"success":true,"data":` + data + `,"meta":{"request_id":"r","timestamp":"` + time.Now().Add(skew).UTC().Format(time.RFC3339Nano) + `"}}`
	return answer(200, body), nil
}

func TestWaitReturnsTheFinalState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &story{}
		s.tell = func(at time.Duration) (*http.Response, error) {
			if at < 20*time.Second {
				return authAt("pending", 0, s.start)
			}
			return authAt("approved", 0, s.start)
		}
		c := (&api{handle: s.handle}).client(t)
		got, err := c.Authentication.WaitForSession(t.Context(), "sess_1", mid.PollOptions{})
		require.NoError(t, err)
		require.Equal(t, mid.AuthApproved, got.Status)
		require.Less(t, time.Since(s.start), 25*time.Second)
		require.Less(t, len(s.looks), 12, "intervals grow")
		for i := 1; i < len(s.looks); i++ {
			pause := s.looks[i] - s.looks[i-1]
			require.GreaterOrEqual(t, pause, 750*time.Millisecond)
			require.LessOrEqual(t, pause, 5*time.Second)
		}
	})
}

// Intervals grow from MinInterval to MaxInterval, with jitter.
func TestPollIntervals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var pauses []map[time.Duration]bool
		for range 50 {
			s := &story{}
			s.tell = func(at time.Duration) (*http.Response, error) {
				if len(s.looks) <= 8 {
					return authAt("pending", 0, s.start)
				}
				return authAt("rejected", 0, s.start)
			}
			c := (&api{handle: s.handle}).client(t)
			_, err := c.Authentication.WaitForSession(t.Context(), "sess_1", mid.PollOptions{MinInterval: 2 * time.Second, MaxInterval: 4 * time.Second})
			require.NoError(t, err)
			bound := 2 * time.Second
			for i := range 8 {
				pause := s.looks[i+1] - s.looks[i]
				require.LessOrEqual(t, pause, bound)
				require.GreaterOrEqual(t, pause, bound*3/4)
				bound = min(bound*3/2, 4*time.Second)
				if len(pauses) <= i {
					pauses = append(pauses, map[time.Duration]bool{})
				}
				pauses[i][pause] = true
			}
		}
		for _, seen := range pauses {
			require.Greater(t, len(seen), 10, "no jitter")
		}
	})
}

// Permanent errors end a wait at once; those that may pass are waited out and
// not yielded.
func TestWaitAndErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := (&api{handle: answers(status(404, problem("not_found", "no such session", "")))}).client(t)
		start := time.Now()
		_, err := gone.Authentication.WaitForSession(t.Context(), "sess_1", mid.PollOptions{})
		require.ErrorIs(t, err, mid.ErrNotFound)
		require.Zero(t, time.Since(start))

		_, err = gone.Authentication.WaitForSession(t.Context(), "", mid.PollOptions{})
		_, ok := errors.AsType[*mid.ValidationError](err)
		require.True(t, ok)
		_, err = gone.Authentication.WaitForSession(t.Context(), "x", mid.PollOptions{MinInterval: -1})
		_, ok = errors.AsType[*mid.ValidationError](err)
		require.True(t, ok)

		s := &story{}
		s.tell = func(at time.Duration) (*http.Response, error) {
			switch {
			case at < time.Second:
				return authAt("pending", 0, s.start)
			case at < 20*time.Second:
				return answer(503, problem("service_unavailable", "later", "")), nil
			case at < 40*time.Second:
				return answer(429, problem("rate_limit_exceeded", "slow", `,"retry_after":5`)), nil
			case at < 60*time.Second:
				return nil, errors.New("connection refused")
			}
			return authAt("approved", 0, s.start)
		}
		var states []mid.AuthStatus
		for session, err := range (&api{handle: s.handle}).client(t).Authentication.WatchSession(t.Context(), "sess_1", mid.PollOptions{}) {
			require.NoError(t, err)
			states = append(states, session.Status)
		}
		require.Equal(t, []mid.AuthStatus{mid.AuthPending, mid.AuthApproved}, states)
	})
}

// When ctx ends the wait does, with ctx's error and what went wrong last.
func TestWaitEndsWithCtx(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		start := time.Now()
		down := (&api{handle: answers(status(503, problem("service_unavailable", "down for a while", "")))}).client(t)
		_, err := down.Identity.WaitForVerification(ctx, "ver_1", mid.PollOptions{})
		require.Equal(t, 30*time.Second, time.Since(start))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, mid.ErrServer)
		require.ErrorContains(t, err, "down for a while")

		ctx, cancel = context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		pending := (&api{handle: session}).client(t)
		var errs []error
		for _, err := range pending.Authentication.WatchSession(ctx, "sess_1", mid.PollOptions{}) {
			errs = append(errs, err)
		}
		require.Len(t, errs, 2)
		require.NoError(t, errs[0])
		require.ErrorIs(t, errs[1], context.DeadlineExceeded)
		require.EqualError(t, errs[1], "mid: the wait ended: context deadline exceeded")
	})
}

// When ctx ends during a look, the look's answer is not lost.
func TestWaitThatEndsDuringALookKeepsItsAnswer(t *testing.T) {
	for name, retry := range map[string]mid.RetryPolicy{"the only attempt": {}, "in backoff": mid.DefaultRetryPolicy()} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				down := (&api{handle: func(*http.Request) (*http.Response, error) {
					cancel()
					return answer(503, problem("service_unavailable", "down for a while", "")), nil
				}}).client(t, mid.WithRetry(retry))
				_, err := down.Signing.WaitForSession(ctx, "sig_1", mid.PollOptions{})
				require.ErrorIs(t, err, context.Canceled)
				require.ErrorIs(t, err, mid.ErrServer)
				require.ErrorContains(t, err, "down for a while")
			})
		})
	}
}

// flatCache is a token cache whose errors are texts only.
type flatCache struct{}

func (flatCache) Token(ctx context.Context, fetch func(context.Context) (*oauth2.Token, error)) (*oauth2.Token, error) {
	token, err := fetch(ctx)
	if err != nil {
		return nil, fmt.Errorf("the shared cache: %v", err)
	}
	return token, nil
}

func (flatCache) Invalidate(context.Context, *oauth2.Token) error { return nil }

// A cache that drops the chain of an error does not hide from a wait that
// another look is in vain.
func TestWaitSeesThroughACacheThatDropsTheChain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &api{handle: session, token: func(int) (*http.Response, error) {
			return answer(401, problem("invalid_client", "unknown client", "")), nil
		}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		_, err := a.client(t, mid.WithTokenCache(flatCache{})).Authentication.WaitForSession(ctx, "sess_1", mid.PollOptions{})
		require.ErrorIs(t, err, mid.ErrInvalidClient)
		require.ErrorContains(t, err, "the shared cache: ")
		require.Zero(t, time.Since(start))
		require.Equal(t, 1, a.tokenRequests())
	})
}

// A subscription begins before the first look, so that an event that comes in
// between is not missed, and ends with the wait.
// notifierStub gives a wait its channel.
// A notifier whose channel is closed, or nil, leaves a wait to its polling, and
// hears of the wait's end.
// After expires_at, by the server's clock, there is one last look.
func TestWaitEndsWithTheExpiry(t *testing.T) {
	for _, skew := range []time.Duration{0, time.Hour, -time.Hour} {
		t.Run(skew.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &story{}
				s.tell = func(time.Duration) (*http.Response, error) { return authAt("pending", skew, s.start) }
				got, err := (&api{handle: s.handle}).client(t).Authentication.WaitForSession(t.Context(), "sess_1", mid.PollOptions{})
				require.NoError(t, err)
				require.Equal(t, mid.AuthPending, got.Status, "the session as it is")
				require.InDelta(t, 300, last(s.looks).Seconds(), 1.1)
				require.GreaterOrEqual(t, last(s.looks), 5*time.Minute-time.Second)

				s = &story{}
				s.tell = func(at time.Duration) (*http.Response, error) {
					if at < 4*time.Minute {
						return authAt("pending", skew, s.start)
					}
					return answer(503, problem("service_unavailable", "down", "")), nil
				}
				_, err = (&api{handle: s.handle}).client(t).Authentication.WaitForSession(t.Context(), "sess_1", mid.PollOptions{})
				require.ErrorIs(t, err, mid.ErrServer, "or the last error")
				require.InDelta(t, 305, time.Since(s.start).Seconds(), 10)

				s = &story{}
				s.tell = func(at time.Duration) (*http.Response, error) {
					if at < 5*time.Minute-time.Second {
						return authAt("pending", skew, s.start)
					}
					return authAt("expired", skew, s.start)
				}
				var states []mid.AuthStatus
				for session, err := range (&api{handle: s.handle}).client(t).Authentication.WatchSession(t.Context(), "sess_1", mid.PollOptions{}) {
					require.NoError(t, err)
					states = append(states, session.Status)
				}
				require.Equal(t, []mid.AuthStatus{mid.AuthPending, mid.AuthExpired}, states)
			})
		})
	}
}

// Watch yields every change once, unknown statuses and a signer's signature
// included.
func TestWatchYieldsChangesOnce(t *testing.T) {
	signing := func(status, ada, bob string) (*http.Response, error) {
		return answer(200, ok(fmt.Sprintf(`{"id":"sig_1","status":%q,"document_ids":["doc_1"],"require_biometric":true,
			"signers":[{"name":"Ada Example","email":"ada@example.com","status":%q,"sign_url":"https://sign.example.com/%d"},
			{"name":"Bob Example","email":"bob@example.com","status":%q,"sign_url":"https://sign.example.com/b"}],
			"created_at":"2000-01-01T00:00:00Z","expires_at":"2000-01-04T00:00:00Z"}`, status, ada, time.Now().UnixNano(), bob))), nil
	}
	synctest.Test(t, func(t *testing.T) {
		s := &story{}
		s.tell = func(at time.Duration) (*http.Response, error) {
			switch {
			case at < 10*time.Second:
				return signing("pending", "awaiting_signature", "awaiting_signature")
			case at < 20*time.Second:
				return signing("pending", "signed", "awaiting_signature")
			case at < 30*time.Second:
				return signing("archiving", "signed", "signed")
			}
			return signing("completed", "signed", "signed")
		}
		var seen []string
		for session, err := range (&api{handle: s.handle}).client(t).Signing.WatchSession(t.Context(), "sig_1", mid.PollOptions{}) {
			require.NoError(t, err)
			seen = append(seen, fmt.Sprint(session.Status, " ", session.Signers[0].Status, " ", session.Signers[1].Status))
		}
		require.Equal(t, []string{
			"pending awaiting_signature awaiting_signature",
			"pending signed awaiting_signature",
			"archiving signed signed",
			"completed signed signed",
		}, seen)
	})
}

func TestWatchStopsWhenTheCallerDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &api{handle: session}
		n := 0
		for range a.client(t).Authentication.WatchSession(t.Context(), "sess_1", mid.PollOptions{}) {
			n++
			break
		}
		require.Equal(t, 1, n)
		require.Len(t, a.sent(), 1)
	})
}

func TestVerificationIsWatched(t *testing.T) {
	verification := func(status, face string) (*http.Response, error) {
		return answer(200, ok(fmt.Sprintf(`{"id":"ver_1","status":%q,"document_type":"passport","country":"DE","estimated_time":"%ds",
			"checks":{"face_match":%q},"created_at":"2026-01-02T03:04:05Z"}`, status, time.Now().Unix()%60, face))), nil
	}
	synctest.Test(t, func(t *testing.T) {
		s := &story{}
		s.tell = func(at time.Duration) (*http.Response, error) {
			switch {
			case at < 10*time.Second:
				return verification("processing", "pending")
			case at < 20*time.Second:
				return verification("processing", "passed")
			}
			return verification("verified", "passed")
		}
		var seen []string
		for v, err := range (&api{handle: s.handle}).client(t).Identity.WatchVerification(t.Context(), "ver_1", mid.PollOptions{}) {
			require.NoError(t, err)
			seen = append(seen, string(v.Status)+" "+v.Checks.FaceMatch)
		}
		require.Equal(t, []string{"processing pending", "processing passed", "verified passed"}, seen)
	})
}

// notify delivers an event about a resource to a client's webhooks.
// An event wakes the wait of its resource at once, without any wiring, and no
// other.
// A limiter that can't let a look through in time is waited out, not an end.
func TestWaitOutlivesTheLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &window{limit: 3, length: time.Minute}
		a := &api{handle: func(r *http.Request) (*http.Response, error) {
			resp, err := w.handle(r)
			if w.served > 7 && resp.StatusCode == 200 {
				resp.Body = readCloser(ok(strings.Replace(pendingSession, "pending", "completed", 1)))
				resp.ContentLength = -1
			}
			return resp, err
		}}
		c := a.client(t, staticToken(), mid.WithRetry(mid.RetryPolicy{MaxRetryAfter: time.Second}))
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		got, err := c.Signing.WaitForSession(ctx, "sig_1", mid.PollOptions{})
		require.NoError(t, err)
		require.Equal(t, mid.SigningCompleted, got.Status)
		require.Zero(t, w.refused)
	})
}

// Without a timestamp in the envelope, Date tells the server's time.
func TestExpiryByDate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &story{}
		s.tell = func(time.Duration) (*http.Response, error) {
			server := time.Now().Add(-time.Hour)
			data := fmt.Sprintf(`{"id":"sess_1","status":"pending","expires_at":%q}`, s.start.Add(-time.Hour+5*time.Minute).UTC().Format(time.RFC3339))
			return answer(200, `{"success":true,"data":`+data+`}`, "Date", server.UTC().Format(http.TimeFormat)), nil
		}
		_, err := (&api{handle: s.handle}).client(t).Authentication.WaitForSession(t.Context(), "sess_1", mid.PollOptions{})
		require.NoError(t, err)
		require.InDelta(t, 300, last(s.looks).Seconds(), 2)
	})
}

// A wake begins again with MinInterval, and what a failed look asks to wait is
// waited for.
