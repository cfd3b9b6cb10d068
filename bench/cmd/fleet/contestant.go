package main

import (
	"context"
	"sync/atomic"

	"github.com/redis/go-redis/v9"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midredis"
)

// contestants are the ways to pace a process, by name. Each returns the options of
// its client. Those that share nothing leave rdb unused.
var contestants = map[string]func(rdb redis.UniversalClient, account string, plan mid.Plan) ([]mid.Option, error){
	"midredis": func(rdb redis.UniversalClient, account string, plan mid.Plan) ([]mid.Option, error) {
		limiter, err := midredis.NewLimiter(rdb, account, plan)
		return []mid.Option{mid.WithLimiter(limiter)}, err
	},
	"headers": func(redis.UniversalClient, string, mid.Plan) ([]mid.Option, error) {
		return nil, nil
	},
	"plan": func(_ redis.UniversalClient, _ string, plan mid.Plan) ([]mid.Option, error) {
		return []mid.Option{mid.WithPlan(plan)}, nil
	},
	"redis_rate": func(rdb redis.UniversalClient, account string, plan mid.Plan) ([]mid.Option, error) {
		return []mid.Option{mid.WithLimiter(newRateLimiter(rdb, account, plan))}, nil
	},
}

// allContestants is their order in the tables.
const allContestants = "midredis,headers,plan,redis_rate"

// roundTrips counts the commands that a process sends, but for those that open a
// connection.
type roundTrips struct {
	n atomic.Int64
}

func (*roundTrips) DialHook(next redis.DialHook) redis.DialHook { return next }

func (r *roundTrips) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if name := cmd.Name(); name != "hello" && name != "client" {
			r.n.Add(1)
		}
		return next(ctx, cmd)
	}
}

// ProcessPipelineHook counts nothing, because only the opening of a connection
// uses pipelines.
func (*roundTrips) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}
