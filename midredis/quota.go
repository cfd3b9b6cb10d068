package midredis

import (
	"context"
	_ "embed" // for the script
	"time"

	"github.com/mobid-io/mid-go"
)

//go:embed take.lua
var takeScript string

// What take.lua knows of the server's limit.
const (
	unknownServer = -1
	bucketServer  = 1 // and 0 if it counts by windows
)

// poll is take.lua's wait if it depends on answers that are still to come.
const poll = 30 * time.Millisecond

// quota is an account's quota in Redis, as one process uses it.
type quota struct {
	link     *link
	key      string
	process  string // its id
	interval time.Duration
	burst    int
}

// taken is what a process has got.
type taken struct {
	permits, processes, bucket int64
	first                      time.Duration // until the first permit may be used
	wait                       time.Duration // until asking again, without permits
	free                       time.Duration // until the plan has another for anyone
	pause                      time.Duration // for which all are to send nothing
}

// take takes at most want permits. It reports to Redis the out permits that the process
// has in hand or on their way, how long it holds any for later, what it knows of the
// server, and what it has learned.
func (q *quota) take(ctx context.Context, want, out int, held time.Duration, bucket int64, r report) (taken, error) {
	remaining, resets, fresh := -1, time.Duration(0), 0
	if r.quota != (mid.RateLimit{}) {
		remaining, resets = max(r.quota.Remaining, 0), time.Until(r.quota.Reset)
	}
	if r.fresh {
		fresh = 1
	}
	reply, err := q.link.eval(ctx, takeScript, []string{q.key}, q.process, q.interval.Microseconds(), q.burst, want, out,
		r.back, r.mute, r.pause.Microseconds(), remaining, resets.Microseconds(), r.quota.Limit, fresh, bucket,
		time.Since(r.seen).Microseconds(), held.Microseconds()).Int64Slice()
	if err != nil {
		return taken{}, err
	}
	if len(reply) != 7 {
		return taken{}, errReply
	}
	return taken{
		permits: reply[0], processes: reply[3], bucket: reply[4],
		first: microseconds(reply[1]), wait: microseconds(reply[2]), free: microseconds(reply[5]),
		pause: microseconds(reply[6]),
	}, nil
}

func microseconds(n int64) time.Duration { return time.Duration(n) * time.Microsecond }
