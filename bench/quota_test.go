package bench

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/mobid-io/mid-go"
)

// ahead is how far the server's clock is ahead of the clients': a client that
// takes Reset for local time would fail here.
const ahead = 37*time.Second + 400*time.Millisecond

// verdict is what a quota says to one request.
type verdict struct {
	granted          bool
	limit, remaining int
	reset            time.Time     // when limit requests may go again
	retryAfter       time.Duration // for a refusal
}

// quota is a server's way of counting requests. Times are the server's.
type quota interface {
	take(now time.Time) verdict
	// allowed is how many requests a perfect client gets through in d if its
	// callers can't make more than speed of them a second.
	allowed(start time.Time, d time.Duration, speed float64) float64
	// takes is how long n requests take a perfect client.
	takes(start time.Time, n int) time.Duration
}

// bucket is the token bucket of a published plan: it fills at the plan's rate
// up to its burst.
type bucket struct {
	plan   mid.Plan
	tokens float64
	at     time.Time
}

func newBucket(plan mid.Plan) *bucket { return &bucket{plan: plan, tokens: float64(plan.Burst)} }

func (b *bucket) rate() float64 { return float64(b.plan.RequestsPerMinute) / 60 }

func (b *bucket) take(now time.Time) verdict {
	if !b.at.IsZero() {
		b.tokens = min(b.tokens+now.Sub(b.at).Seconds()*b.rate(), float64(b.plan.Burst))
	}
	b.at = now
	v := verdict{limit: b.plan.Burst}
	// A token that is there but for a rounding error is there.
	if b.tokens > 1-1e-6 {
		b.tokens--
		v.granted = true
	} else {
		v.retryAfter = time.Duration((1 - b.tokens) / b.rate() * float64(time.Second))
	}
	v.remaining = int(max(b.tokens, 0))
	v.reset = now.Add(time.Duration((float64(b.plan.Burst) - b.tokens) / b.rate() * float64(time.Second)))
	return v
}

func (b *bucket) allowed(_ time.Time, d time.Duration, speed float64) float64 {
	return min(float64(b.plan.Burst)+math.Floor(d.Seconds()*b.rate()), d.Seconds()*speed)
}

func (b *bucket) takes(_ time.Time, n int) time.Duration {
	return time.Duration(float64(max(n-b.plan.Burst, 0)) / b.rate() * float64(time.Second))
}

// window allows a number of requests in each window of time. Windows begin at
// whole minutes of the server's clock or, if they float, with the first
// request after the last one's end.
type window struct {
	limit  int
	length time.Duration
	floats bool
	used   int
	ends   time.Time
}

func (w *window) take(now time.Time) verdict {
	if !now.Before(w.ends) {
		w.used, w.ends = 0, now.Add(w.length)
		if !w.floats {
			w.ends = now.Truncate(w.length).Add(w.length)
		}
	}
	v := verdict{limit: w.limit, reset: w.ends, retryAfter: w.ends.Sub(now)}
	if w.used < w.limit {
		w.used++
		v.granted = true
	}
	v.remaining = w.limit - w.used
	return v
}

func (w *window) allowed(start time.Time, d time.Duration, speed float64) (sum float64) {
	ends := start.Add(w.length)
	if !w.floats {
		ends = start.Truncate(w.length).Add(w.length)
	}
	for end := start.Add(d); start.Before(end); start, ends = ends, ends.Add(w.length) {
		open := min(ends.Sub(start), end.Sub(start))
		sum += min(float64(w.limit), math.Floor(open.Seconds()*speed)+1)
	}
	return sum
}

func (w *window) takes(start time.Time, n int) time.Duration {
	full := (n - 1) / w.limit // windows before the last
	if full == 0 || w.floats {
		return time.Duration(full) * w.length
	}
	return start.Truncate(w.length).Add(time.Duration(full) * w.length).Sub(start)
}

// quotaServer answers requests in memory; it counts them when half of the
// latency has passed.
type quotaServer struct {
	latency time.Duration

	mu               sync.Mutex
	quota            quota
	granted, refused int
}

// quotaRoute is one client's way to the server.
type quotaRoute struct {
	*quotaServer
	granted int // under the server's lock
}

func (s *quotaRoute) RoundTrip(req *http.Request) (*http.Response, error) {
	time.Sleep(s.latency / 2)
	now := time.Now().Add(ahead)
	s.mu.Lock()
	v := s.quota.take(now)
	if v.granted {
		s.granted++
		s.quotaServer.granted++
	} else {
		s.refused++
	}
	s.mu.Unlock()
	time.Sleep(s.latency - s.latency/2)
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	return v.answer(req, now), nil
}

// answer is the verdict in the contract's words: whole seconds, rounded up.
func (v verdict) answer(req *http.Request, now time.Time) *http.Response {
	status := http.StatusOK
	body := `{"success":true,"data":{"id":"sess_1","status":"pending"},"meta":{"request_id":"req_1"}}`
	if !v.granted {
		status = http.StatusTooManyRequests
		body = fmt.Sprintf(`{"success":false,"error":{"code":"rate_limit_exceeded","message":"too many requests","retry_after":%d}}`,
			max(int(math.Ceil(v.retryAfter.Seconds())), 1))
	}
	return &http.Response{
		StatusCode: status,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{
			"Date":                  {now.UTC().Format(http.TimeFormat)},
			"X-Ratelimit-Limit":     {strconv.Itoa(v.limit)},
			"X-Ratelimit-Remaining": {strconv.Itoa(v.remaining)},
			"X-Ratelimit-Reset":     {strconv.FormatInt(v.reset.Add(time.Second-1).Unix(), 10)},
		},
		Body:          io.NopCloser(bytes.NewReader([]byte(body))),
		ContentLength: int64(len(body)),
		Request:       req,
	}
}
