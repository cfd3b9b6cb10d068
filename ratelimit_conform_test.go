package mid_test

import (
	"testing"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

func TestDefaultLimiterConforms(t *testing.T) {
	for name, plan := range map[string]*mid.Plan{"without a plan": nil, "with a plan": &mid.PlanProfessional} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			midtest.TestLimiter(t, func(*testing.T) mid.Limiter { return mid.NewQueueLimiter(plan) })
		})
	}
}
