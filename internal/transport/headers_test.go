package transport

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// answered makes an answer as the pipeline has it; header is a list of names
// and values.
func answered(status int, body string, header ...string) *http.Response {
	h := http.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	p := &Payload{data: []byte(body)}
	p.Reset(p.data)
	return &http.Response{StatusCode: status, Header: h, Body: p}
}

func TestReadQuota(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		limit, remaining, reset string
		ok                      bool
	}{
		{"60", "59", "1790000000", true},
		{"0", "0", "0", true},
		{"60", "61", "1790000000", true},
		{"", "59", "1790000000", false},
		{"60", "", "1790000000", false},
		{"60", "59", "", false},
		{"-1", "59", "1790000000", false},
		{"60", "-1", "1790000000", false},
		{"60", "59", "-1", false},
		{"60", "59", "1790000000.5", false},
		{"60", "59", "99999999999999999999", false},
		{"60", "59", "9223372036854775807", false},
		{"sixty", "59", "1790000000", false},
		{"1e3", "59", "1790000000", false},
		{"60", "59", "Fri, 02 Jan 2026 03:04:05 GMT", false},
	} {
		q, ok := ReadQuota(http.Header{"X-Ratelimit-Limit": {tt.limit}, "X-Ratelimit-Remaining": {tt.remaining}, "X-Ratelimit-Reset": {tt.reset}})
		require.Equal(t, tt.ok, ok, "%+v", tt)
		if !ok {
			require.Equal(t, Quota{}, q)
		}
	}
	q, _ := ReadQuota(answered(200, "", "X-RateLimit-Limit", "60", "X-RateLimit-Remaining", "59", "X-RateLimit-Reset", "1790000000").Header)
	require.Equal(t, Quota{60, 59, time.Unix(1790000000, 0)}, q)
}

func TestRetryAfterInTheBody(t *testing.T) {
	t.Parallel()
	const header = 9 * time.Second // what the header says instead
	for text, want := range map[string]time.Duration{
		`2`: 2 * time.Second, `0`: 0, `1.5`: 1500 * time.Millisecond, `"3"`: 3 * time.Second, `"2.5"`: 2500 * time.Millisecond,
		`-5`: 0, `"-5"`: 0, `"600s"`: 10 * time.Minute, `" 3 "`: 3 * time.Second, `"NaN"`: 0, `1e18`: maxWait, `1e300`: maxWait, `"Inf"`: maxWait, `"-Inf"`: 0,
		`null`: header, `"soon"`: header, `""`: header, `true`: header, `{}`: header, `[2]`: header, `1e999`: header,
	} {
		for _, status := range []int{429, 500, 503} {
			got := RetryAfter(answered(status, `{"success":false,"error":{"code":"x","retry_after":`+text+`}}`, "Retry-After", "9"))
			require.Equal(t, want, got, text)
		}
	}
	for _, body := range []string{`{"error":true,"retry_after":2}`, `{"error":true,"retryAfter":"2"}`, `{"error":{"retryAfter":2}}`} {
		require.Equal(t, 2*time.Second, RetryAfter(answered(503, body, "Retry-After", "9")), body)
	}
	for _, body := range []string{"", "null", "[]", "<html>", `{"error":"bare"}`, `{"error":null}`, `{"error":{"retry_after":2}`, `{"retry_after":2}`} {
		require.Equal(t, header, RetryAfter(answered(503, body, "Retry-After", "9")), body)
	}
}

func TestRetryAfterInTheHeader(t *testing.T) {
	t.Parallel()
	const date = "Fri, 02 Jan 2026 03:04:05 GMT" // years from any local clock
	for text, want := range map[string]time.Duration{
		"7": 7 * time.Second, " 7 ": 7 * time.Second, "0": 0, "-7": 0, "0.5": 500 * time.Millisecond, "1e18": maxWait, "NaN": 0,
		"99999999999999999999": maxWait, "1e999": 0, "": 0, "soon": 0,
		"600, 600": 10 * time.Minute, "5,9": 9 * time.Second, "9 , 5": 9 * time.Second, "600, soon": 0, "600,": 0, ",": 0,
		"600s": 10 * time.Minute, "1m30s": 90 * time.Second, "250ms": 250 * time.Millisecond, "-600s": 0, "600s, 7": 10 * time.Minute,
		"999999h": maxWait, "9999999999h": 0, "600 s": 0, "s": 0,
		"Fri, 02 Jan 2026 03:04:35 GMT":    30 * time.Second,
		"Friday, 02-Jan-26 03:04:35 GMT":   30 * time.Second,
		"Fri Jan  2 03:04:35 2026":         30 * time.Second,
		"Fri, 02 Jan 2026 03:04:00 GMT":    0,
		"Fri, 31 Dec 9999 23:59:59 GMT":    maxWait,
		"Mon, 01 Jan 0001 00:00:00 GMT":    0,
		"Fri, 02 Jan 2026 04:04:35 +0100":  0,
		"2026-01-02T03:04:35Z":             0,
		"Fri, 02 Jan 2026 03:04:35 GMT, 5": 0,
	} {
		require.Equal(t, want, RetryAfter(answered(503, "", "Retry-After", text, "Date", date)), "%q", text)
	}
}

func TestRetryAfterFromTheReset(t *testing.T) {
	t.Parallel()
	date := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	reset := func(d time.Duration) []string {
		return []string{"Date", date.Format(http.TimeFormat), "X-RateLimit-Limit", "60", "X-RateLimit-Remaining", "0",
			"X-RateLimit-Reset", fmt.Sprint(date.Add(d).Unix())}
	}
	require.Equal(t, 42*time.Second, RetryAfter(answered(429, "", reset(42*time.Second)...)))
	require.Zero(t, RetryAfter(answered(429, "", reset(-time.Hour)...)))
	require.Equal(t, maxWait, RetryAfter(answered(429, "", reset(20*365*24*time.Hour)...)))
	require.Zero(t, RetryAfter(answered(503, "", reset(42*time.Second)...)), "the window says nothing about an outage")
	require.Equal(t, 3*time.Second, RetryAfter(answered(429, "", append(reset(42*time.Second), "Retry-After", "3")...)))
	require.Equal(t, 42*time.Second, RetryAfter(answered(429, "", append(reset(42*time.Second), "Retry-After", "soon")...)))
}

func TestRetryAfterWithoutADateCountsFromNow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		at := time.Now().Add(30 * time.Second).UTC().Format(http.TimeFormat)
		require.Equal(t, 30*time.Second, RetryAfter(answered(503, "", "Retry-After", at)))
		require.Equal(t, 30*time.Second, RetryAfter(answered(503, "", "Retry-After", at, "Date", "yesterday")))
	})
}

func FuzzWaits(f *testing.F) {
	f.Add(429, `{"error":{"retry_after":2}}`, "3", "Fri, 02 Jan 2026 03:04:05 GMT", "60", "0", "1790000000")
	f.Add(429, `{"error":{"retry_after":"-1e308"}}`, "Fri, 31 Dec 9999 23:59:59 GMT", "", "0", "0", "1099511627775")
	f.Add(503, "", "NaN", "Mon, 01 Jan 0001 00:00:00 GMT", "9223372036854775807", "9223372036854775807", "0")
	f.Add(429, "\ufeff{}", "600, 600", "", "", "", "")
	f.Add(503, `{"error":{"retry_after":"600s"}}`, "1m,2h", "", "", "", "")
	f.Add(429, "", "", "Mon, 01 Jan 0001 00:00:00 GMT", "1", "1", "1099511627775")
	f.Fuzz(func(t *testing.T, status int, body, after, date, limit, remaining, reset string) {
		resp := answered(status, body, "Retry-After", after, "Date", date,
			"X-RateLimit-Limit", limit, "X-RateLimit-Remaining", remaining, "X-RateLimit-Reset", reset)
		if d := RetryAfter(resp); d < 0 || d > maxWait {
			t.Fatalf("a wait of %v", d)
		}
		if q, ok := ReadQuota(resp.Header); ok && (q.Limit < 0 || q.Remaining < 0 || q.Reset.Unix() < 0 || q.Reset.Unix() > maxUnix) {
			t.Fatalf("a quota of %+v", q)
		}
	})
}
