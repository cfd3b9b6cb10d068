package midtest_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go/midtest"
)

func TestRequestsAreLogged(t *testing.T) {
	c := start(t)
	long := strings.Repeat("x", 100<<10)
	c.post("/auth/sessions?a=b", `{"intent":"`+long+`"}`, "X-Mark", "yes")
	all := c.srv.Requests()
	require.Len(t, all, 2)
	assert.Equal(t, "/auth/token", all[0].Path)
	got := all[1]
	assert.Equal(t, "POST", got.Method)
	assert.Equal(t, "/auth/sessions", got.Path)
	assert.Equal(t, "b", got.Query.Get("a"))
	assert.Equal(t, "yes", got.Header.Get("X-Mark"))
	assert.Equal(t, 400, got.Status)
	assert.Len(t, got.Body, 64<<10)
	assert.EqualValues(t, len(long)+len(`{"intent":""}`), got.BodySize)
	assert.WithinDuration(t, time.Now(), got.Time, time.Minute)
}

// grown is by how much the heap has grown when f has run.
func grown(f func()) int64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	f()
	runtime.GC()
	runtime.ReadMemStats(&after)
	return int64(after.HeapAlloc) - int64(before.HeapAlloc)
}

const bound = 36 << 20 // 32 MiB of the log, and what else there is

func TestTheLogForgetsOldBodies(t *testing.T) {
	c := start(t, midtest.WithQuota(1e6, time.Hour))
	const sent = 600
	long := strings.Repeat("x", 70<<10)
	assert.Less(t, grown(func() {
		for range sent {
			c.post("/auth/sessions", long)
		}
	}), int64(bound))
	all := c.srv.Requests()
	require.Len(t, all, sent+1, "the requests themselves are there")
	assert.Nil(t, all[1].Body)
	assert.EqualValues(t, len(long), all[1].BodySize)
	assert.NotEmpty(t, all[1].Header)
	assert.Len(t, all[sent].Body, 64<<10)
}

func TestTheLogForgetsRequestsWithLongHeaders(t *testing.T) {
	c := start(t, midtest.WithInMemory())
	const sent = 80
	long := strings.Repeat("x", 300<<10)
	assert.Less(t, grown(func() {
		for range sent {
			c.post("/nothing?"+long, "{}", "X-Long", long)
		}
	}), int64(bound))
	all := c.srv.Requests()
	assert.Less(t, len(all), sent)
	assert.Equal(t, long, all[len(all)-1].Header.Get("X-Long"))
}
