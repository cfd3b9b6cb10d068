package transport

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Quota is what the X-RateLimit headers of an answer report.
type Quota struct {
	Limit, Remaining int
	Reset            time.Time // by the server's clock
}

// ReadQuota reads the X-RateLimit headers; ok is false unless all three are
// there and make sense.
func ReadQuota(h http.Header) (q Quota, ok bool) {
	limit, err1 := strconv.Atoi(first(h, "X-Ratelimit-Limit"))
	remaining, err2 := strconv.Atoi(first(h, "X-Ratelimit-Remaining"))
	reset, err3 := strconv.ParseInt(first(h, "X-Ratelimit-Reset"), 10, 64)
	if err1 != nil || err2 != nil || err3 != nil || limit < 0 || remaining < 0 || reset < 0 || reset > maxUnix {
		return Quota{}, false
	}
	return Quota{limit, remaining, time.Unix(reset, 0)}, true
}

// first is Header.Get for a key in canonical form, which X-RateLimit-Limit is
// not: making it canonical would cost an allocation each time.
func first(h http.Header, key string) string {
	if v := h[key]; len(v) > 0 {
		return v[0]
	}
	return ""
}

const (
	maxUnix = 1<<40 - 1 // far, and safe to calculate with
	// maxWait is what an absurdly long wait is taken for.
	maxWait = 10 * 365 * 24 * time.Hour
)

// Date returns the time in the answer's Date header, or now if there is no such
// header.
func Date(h http.Header, now time.Time) time.Time {
	if t, err := http.ParseTime(h.Get("Date")); err == nil {
		return t
	}
	return now
}

// RetryAfter returns how long an answer asks to wait before the next try: by
// error.retry_after in its body, else by Retry-After, else, for a 429, by
// X-RateLimit-Reset. Dates count from the answer's own Date, so that a wrong
// local clock does no harm. It is zero if the answer does not ask, and never
// negative.
func RetryAfter(resp *http.Response) time.Duration {
	if d, ok := retryAfterBody(Data(resp)); ok {
		return d
	}
	now := Date(resp.Header, time.Now())
	if d, ok := retryAfterHeader(resp.Header.Get("Retry-After"), now); ok {
		return d
	}
	if q, ok := ReadQuota(resp.Header); ok && resp.StatusCode == http.StatusTooManyRequests {
		return min(max(q.Reset.Sub(now), 0), maxWait)
	}
	return 0
}

// retryAfterBody reads the wait from the error object or, where error is a bool,
// from beside it, in either spelling.
func retryAfterBody(data []byte) (time.Duration, bool) {
	type waits struct {
		Snake any `json:"retry_after"`
		Camel any `json:"retryAfter"`
	}
	var body struct {
		waits
		Error json.RawMessage `json:"error"`
	}
	if json.Unmarshal(data, &body) != nil {
		return 0, false
	}
	asked := body.waits
	if string(body.Error) != "true" {
		asked = waits{}
		if json.Unmarshal(body.Error, &asked) != nil {
			return 0, false
		}
	}
	if asked.Snake == nil {
		asked.Snake = asked.Camel
	}
	switch v := asked.Snake.(type) {
	case float64:
		return seconds(v), true
	case string:
		return wait(v)
	}
	return 0, false
}

// retryAfterHeader reads a date (RFC 9110 section 10.2.3), or a wait. A proxy
// that adds the header to one that is there makes a list: the longest counts.
func retryAfterHeader(value string, now time.Time) (time.Duration, bool) {
	if t, err := http.ParseTime(strings.TrimSpace(value)); err == nil {
		return min(max(t.Sub(now), 0), maxWait), true
	}
	var longest time.Duration
	for part := range strings.SplitSeq(value, ",") {
		d, ok := wait(part)
		if !ok {
			return 0, false
		}
		longest = max(longest, d)
	}
	return longest, true
}

// wait reads a number of seconds, or a number with its unit, like 600s.
func wait(text string) (time.Duration, bool) {
	text = strings.TrimSpace(text)
	if s, err := strconv.ParseFloat(text, 64); err == nil {
		return seconds(s), true
	}
	d, err := time.ParseDuration(text)
	return min(max(d, 0), maxWait), err == nil
}

func seconds(s float64) time.Duration {
	if !(s > 0) { // NaN too
		return 0
	}
	return time.Duration(math.Min(s, maxWait.Seconds()) * float64(time.Second))
}
