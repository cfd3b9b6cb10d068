package midredis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/mobid-io/mid-go"
)

// defaultTimeout is far more than a command takes, and little enough for a call
// that goes on without Redis.
const defaultTimeout = 500 * time.Millisecond

// Option configures what a constructor of this package makes.
type Option func(*link) error

// WithTimeout sets how long a command may take until Redis counts as gone; half a
// second without it. It must be more than zero. The timeouts of the Redis client
// itself, which end its connections, are not changed.
func WithTimeout(d time.Duration) Option {
	return func(l *link) error {
		if d <= 0 {
			return &mid.ValidationError{Field: "midredis.WithTimeout", Reason: "is not more than zero"}
		}
		l.timeout = d
		return nil
	}
}

// WithLogger has a limiter or a token cache log a line when it goes by itself because
// Redis fails, and one when it shares again. Failures of an event store or a notifier
// are logged by the webhook service that has it. If logger is nil, or without this
// option, nothing is logged.
func WithLogger(logger *slog.Logger) Option {
	return func(l *link) error {
		if logger != nil {
			l.logger = logger
		}
		return nil
	}
}

// link is how one account's data in Redis is reached.
type link struct {
	rdb     redis.UniversalClient
	prefix  string // of the account's keys and channels
	timeout time.Duration
	logger  *slog.Logger
}

// newLink returns an error that names the constructor.
func newLink(constructor string, rdb redis.UniversalClient, account string, opts []Option) (*link, error) {
	if rdb == nil {
		return nil, &mid.ValidationError{Field: constructor + " rdb", Reason: "is nil"}
	}
	if account == "" {
		return nil, &mid.ValidationError{Field: constructor + " account", Reason: "is empty"}
	}
	l := &link{
		rdb: rdb,
		// The braces make it the key's hash tag: a script's keys must be on one
		// node of a cluster. Neither a brace nor a wildcard of an ACL survives
		// the escaping.
		prefix:  "mid:{" + url.QueryEscape(account) + "}:",
		timeout: defaultTimeout,
		logger:  slog.New(slog.DiscardHandler),
	}
	for _, opt := range opts {
		if opt == nil {
			continue
		}
		if err := opt(l); err != nil {
			return nil, err
		}
	}
	return l, nil
}

func (l *link) key(name string) string { return l.prefix + name }

// eval runs a script. It is sent whole each time: with EVALSHA it would be
// missing after every restart and failover, and go-redis calculates a SHA-1,
// which FIPS 140 forbids.
func (l *link) eval(ctx context.Context, script string, keys []string, args ...any) *redis.Cmd {
	return l.rdb.Eval(ctx, script, keys, args...)
}

// relocate has the client of a cluster ask again where the keys are. By itself it
// would go to a node that has died for another minute.
func (l *link) relocate(ctx context.Context) {
	if cluster, ok := l.rdb.(*redis.ClusterClient); ok {
		cluster.ReloadState(ctx)
	}
}

// errSlow is the error of a command that took too long.
var errSlow = errors.New("redis did not answer")

// bounded runs a command that returns when ctx ends, or after the link's timeout.
// go-redis ends a command in flight by its own timeouts only, so it is left
// behind. late, if it is not nil, gets the result of one that succeeded when no
// one waited any more.
func bounded[T any](ctx context.Context, l *link, command func(context.Context) (T, error), late func(T)) (T, error) {
	var zero T
	if err := ctx.Err(); err != nil {
		return zero, err
	}
	type result struct {
		value T
		err   error
	}
	results := make(chan result)
	left := make(chan struct{})
	inner, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.timeout)
	go func() {
		defer cancel()
		value, err := command(inner)
		if err != nil {
			l.relocate(inner)
		}
		select {
		case results <- result{value, err}:
		case <-left:
			if err == nil && late != nil {
				late(value)
			}
		}
	}()
	timer := time.NewTimer(l.timeout)
	defer timer.Stop()
	select {
	case r := <-results:
		return r.value, r.err
	case <-ctx.Done():
		close(left)
		return zero, ctx.Err()
	case <-timer.C:
		close(left)
		// Not the error of a context: to a caller it would look like the end of
		// its own.
		return zero, fmt.Errorf("%w within %v", errSlow, l.timeout)
	}
}
