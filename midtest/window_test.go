package midtest_test

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

func TestQuota(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := start(t, midtest.WithInMemory(), midtest.WithQuota(3, 90*time.Second))
		begin := time.Now()
		r := c.get("/nothing") // the token request was the first
		assert.Equal(t, "3", r.header.Get("X-RateLimit-Limit"))
		assert.Equal(t, "1", r.header.Get("X-RateLimit-Remaining"))
		assert.Equal(t, strconv.FormatInt(begin.Add(90*time.Second).Unix(), 10), r.header.Get("X-RateLimit-Reset"))

		time.Sleep(500 * time.Millisecond)
		assert.Equal(t, 404, c.get("/nothing").status)
		r = c.get("/nothing")
		assert.Equal(t, 429, r.status)
		assert.Equal(t, mid.CodeRateLimitExceeded, r.Error.Code)
		assert.Equal(t, 90, r.Error.RetryAfter, "89.5 seconds, rounded up")
		assert.Equal(t, "0", r.header.Get("X-RateLimit-Remaining"))
		assert.NotEmpty(t, r.Meta.RequestID)
		assert.Equal(t, 429, c.post("/auth/token", tokenRequest(c.srv)).status, "token requests count")

		time.Sleep(90 * time.Second)
		assert.Equal(t, 404, c.get("/nothing").status, "a new window")
		c.srv.SetQuota(0, time.Minute)
		assert.Equal(t, 429, c.get("/nothing").status)
		c.srv.SetQuota(1, time.Minute)
		assert.Equal(t, 404, c.get("/nothing").status)
	})
}

func TestQuotaResetIsNeverEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Millisecond) // a bubble begins with a whole second
		c := start(t, midtest.WithInMemory(), midtest.WithQuota(1, time.Minute))
		ends := time.Now().Add(time.Minute)
		reset, err := strconv.ParseInt(c.get("/nothing").header.Get("X-RateLimit-Reset"), 10, 64)
		require.NoError(t, err)
		assert.Equal(t, ends.Unix()+1, reset)
	})
}
