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

func (r reply) limits(t *testing.T) mid.RateLimit {
	t.Helper()
	read := func(name string) int {
		n, err := strconv.Atoi(r.header.Get("X-RateLimit-" + name))
		require.NoError(t, err)
		return n
	}
	return mid.RateLimit{Limit: read("Limit"), Remaining: read("Remaining"), Reset: time.Unix(int64(read("Reset")), 0)}
}

func TestPlanIsABucket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := start(t, midtest.WithInMemory(), midtest.WithPlan(mid.Plan{RequestsPerMinute: 30, Burst: 4}))
		begin := time.Now()
		for left := range 3 { // the token request was the first
			r := c.get("/nothing")
			require.Equal(t, 404, r.status)
			assert.Equal(t, mid.RateLimit{
				Limit: 4, Remaining: 2 - left, Reset: begin.Add(time.Duration(left+2) * 2 * time.Second).Local(),
			}, r.limits(t), "full again when every token has come back")
		}
		time.Sleep(500 * time.Millisecond)
		for range 3 {
			r := c.get("/nothing")
			assert.Equal(t, 429, r.status)
			assert.Equal(t, mid.CodeRateLimitExceeded, r.Error.Code)
			assert.Equal(t, 2, r.Error.RetryAfter, "1.5 seconds, rounded up")
			assert.Equal(t, mid.RateLimit{Limit: 4, Reset: begin.Add(8 * time.Second).Local()}, r.limits(t), "a refusal takes nothing")
		}
		time.Sleep(1500*time.Millisecond - 1)
		assert.Equal(t, 429, c.get("/nothing").status)
		time.Sleep(1)
		assert.Equal(t, 404, c.get("/nothing").status, "one token has come in")
		assert.Equal(t, 429, c.get("/nothing").status)
		time.Sleep(time.Hour)
		r := c.get("/nothing")
		assert.Equal(t, 3, r.limits(t).Remaining, "no fuller than its burst")
	})
}

// Each published plan gives its burst at once, and its rate from then on.
func TestPublishedPlans(t *testing.T) {
	for _, plan := range []mid.Plan{mid.PlanSandbox, mid.PlanStandard, mid.PlanStarter, mid.PlanProfessional} {
		synctest.Test(t, func(t *testing.T) {
			c := start(t, midtest.WithInMemory(), midtest.WithPlan(plan))
			served := 1 // the token
			ask := func() {
				for c.get("/nothing").status == 404 {
					served++
				}
			}
			ask()
			assert.Equal(t, plan.Burst, served)
			for range 60 {
				time.Sleep(time.Second)
				ask()
			}
			assert.Equal(t, plan.Burst+plan.RequestsPerMinute, served)
		})
	}
}

func TestPlanAndQuotaReplaceEachOther(t *testing.T) {
	limit := func(opts ...midtest.Option) int {
		return start(t, opts...).get("/nothing").limits(t).Limit
	}
	plan, quota := midtest.WithPlan(mid.PlanSandbox), midtest.WithQuota(7, time.Minute)
	assert.Equal(t, 7, limit(plan, quota))
	assert.Equal(t, 120, limit(quota, plan))

	c := start(t, plan)
	c.srv.SetQuota(7, time.Minute)
	assert.Equal(t, 7, c.get("/nothing").limits(t).Limit)
}

// One option may make several servers.
func TestServersShareNoBucket(t *testing.T) {
	plan, quota := midtest.WithPlan(mid.PlanSandbox), midtest.WithQuota(120, time.Minute)
	for _, opt := range []midtest.Option{plan, quota} {
		for range 2 {
			assert.Equal(t, 118, start(t, opt).get("/nothing").limits(t).Remaining)
		}
	}
}

func TestPlansThatCannotBe(t *testing.T) {
	for _, p := range []mid.Plan{{}, {RequestsPerMinute: 60}, {Burst: 60}, {RequestsPerMinute: -1, Burst: 1}} {
		assert.Panics(t, func() { midtest.WithPlan(p) }, p)
	}
}

func TestClientKeepsToAPlan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := midtest.NewServer(midtest.WithInMemory(), midtest.WithPlan(mid.PlanSandbox))
		defer srv.Close()
		client := srv.Client(mid.WithPlan(mid.PlanSandbox))
		for range 150 {
			_, err := client.Authentication.CreateSession(t.Context(), mid.CreateAuthSessionParams{Intent: mid.IntentLogin})
			require.NoError(t, err)
		}
		for _, r := range srv.Requests() {
			assert.Less(t, r.Status, 400)
		}
	})
}
