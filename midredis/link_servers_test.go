package midredis_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midredis"
	"github.com/mobid-io/mid-go/midtest"
)

// member is a process of a fleet with all that it shares, at a fake MID server.
type member struct {
	srv    *midtest.Server
	client *mid.Client
	log    lockedBuffer
	events int
}

func newMember(t *testing.T, rdb redis.UniversalClient, account string) *member {
	t.Helper()
	m := &member{srv: midtest.NewServer(midtest.WithQuota(100_000, time.Minute))}
	t.Cleanup(m.srv.Close)
	logged := midredis.WithLogger(slog.New(slog.NewTextHandler(&m.log, nil)))
	limiter := newLimiter(t, rdb, account, mid.Plan{RequestsPerMinute: 6000, Burst: 100}, logged)
	tokens, err := midredis.NewTokenCache(rdb, account, m.srv.ClientSecret, logged)
	require.NoError(t, err)
	m.client = m.srv.Client(mid.WithLimiter(limiter), mid.WithTokenCache(tokens), mid.WithWebhooks(mid.WebhookConfig{
		Secrets: []string{m.srv.WebhookSecret}, Store: newStore(t, rdb, account), Notifier: newNotifier(t, rdb, account),
	}))
	return m
}

// calls makes some calls, the first of them with a token that is refused. All must
// succeed.
func (m *member) calls(t *testing.T) {
	t.Helper()
	m.srv.RevokeTokens()
	for range 10 {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		_, err := m.client.Authentication.GetSession(ctx, "sess_unknown")
		cancel()
		require.ErrorIs(t, err, mid.ErrNotFound)
	}
}

// event has a new event delivered and returns how it is answered.
func (m *member) event(t *testing.T) int {
	t.Helper()
	m.events++
	body := fmt.Appendf(nil, `{"id":"evt_%d","type":"some.other","timestamp":%d,"data":{}}`, m.events, time.Now().UnixMilli())
	header := http.Header{}
	header.Set(mid.SignatureHeader, m.client.Webhooks.Sign(body))
	return m.client.Webhooks.Handle(t.Context(), body, header, mid.EventHandlers{}).Status
}

// goesByItself checks what a member does while Redis fails.
func (m *member) goesByItself(t *testing.T) {
	t.Helper()
	m.calls(t)
	assert.Equal(t, http.StatusServiceUnavailable, m.event(t))
	m.calls(t)
}

// sharesAgain waits until a member does, without a restart.
func (m *member) sharesAgain(t *testing.T) {
	t.Helper()
	begun, event := time.Now(), 0
	for event != http.StatusNoContent || strings.Count(m.log.String(), "share again") < 2 {
		require.Less(t, time.Since(begun), 30*time.Second, "an event is answered %d; %s", event, &m.log)
		m.calls(t)
		event = m.event(t)
		time.Sleep(50 * time.Millisecond)
	}
}

// saidOnce checks that the log has one line for each change of each part.
func (m *member) saidOnce(t *testing.T) {
	t.Helper()
	for _, part := range []string{"rate limit", "access token"} {
		for _, change := range []string{"goes by itself", "share again"} {
			n := 0
			for line := range strings.SplitSeq(m.log.String(), "\n") {
				if strings.Contains(line, part) && strings.Contains(line, change) {
					n++
				}
			}
			assert.Equal(t, 1, n, "lines that say that the %s %s:\n%s", part, change, &m.log)
		}
	}
}

// Whatever is wrong with Redis, calls go on, webhooks are answered 503, the log says
// so once, and all is shared again when Redis is well.
func TestRedisFailsInEveryWay(t *testing.T) {
	for name, tt := range map[string]struct {
		spoil, mend func(*testing.T, *redisServer, *redis.Client)
	}{
		"full": {
			func(t *testing.T, _ *redisServer, admin *redis.Client) {
				require.NoError(t, admin.ConfigSet(t.Context(), "maxmemory", "1").Err())
			},
			func(t *testing.T, _ *redisServer, admin *redis.Client) {
				require.NoError(t, admin.ConfigSet(t.Context(), "maxmemory", "0").Err())
			},
		},
		"read-only": {
			func(t *testing.T, _ *redisServer, admin *redis.Client) {
				master := startRedis(t)
				host, port, _ := strings.Cut(master.addr, ":")
				require.NoError(t, admin.ReplicaOf(t.Context(), host, port).Err())
			},
			func(t *testing.T, _ *redisServer, admin *redis.Client) {
				require.NoError(t, admin.ReplicaOf(t.Context(), "NO", "ONE").Err())
			},
		},
		"no EVAL": {
			func(t *testing.T, _ *redisServer, admin *redis.Client) {
				require.NoError(t, admin.Do(t.Context(), "ACL", "SETUSER", "default", "-eval").Err())
			},
			func(t *testing.T, _ *redisServer, admin *redis.Client) {
				require.NoError(t, admin.Do(t.Context(), "ACL", "SETUSER", "default", "+eval").Err())
			},
		},
		"hangs": {
			func(t *testing.T, s *redisServer, _ *redis.Client) {
				require.NoError(t, s.cmd.Process.Signal(syscall.SIGSTOP))
			},
			func(t *testing.T, s *redisServer, _ *redis.Client) {
				require.NoError(t, s.cmd.Process.Signal(syscall.SIGCONT))
			},
		},
		"gone": {
			func(_ *testing.T, s *redisServer, _ *redis.Client) { s.stop() },
			func(t *testing.T, s *redisServer, _ *redis.Client) { s.start(t) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := startRedis(t)
			m := newMember(t, server.client(t), newAccount())
			m.calls(t)
			require.Equal(t, http.StatusNoContent, m.event(t))
			require.Empty(t, m.log.String())

			tt.spoil(t, server, server.client(t))
			m.goesByItself(t)
			tt.mend(t, server, server.client(t))
			m.sharesAgain(t)
			m.saidOnce(t)
		})
	}
}

// Redis with TLS only, and a user with the documented rights.
func TestRedisWithTLS(t *testing.T) {
	files, config := newCertificate(t)
	server := &redisServer{
		addr: freeAddr(t), tls: config,
		args: []string{"--tls-cert-file", files.cert, "--tls-key-file", files.key, "--tls-ca-cert-file", files.cert, "--tls-auth-clients", "no"},
	}
	server.start(t)
	t.Cleanup(server.stop)
	account := newAccount()
	allow(t, server, account, aclOfANode)
	rdb := redis.NewClient(&redis.Options{Addr: server.addr, TLSConfig: config, Username: "mid", Password: "PASSWORD"})
	defer rdb.Close()

	m := newMember(t, rdb, account)
	m.calls(t)
	assert.Equal(t, http.StatusNoContent, m.event(t))
	assert.Empty(t, m.log.String())
	n := 0
	for iter := server.client(t).Scan(t.Context(), 0, "mid:{"+account+"}:*", 100).Iterator(); iter.Next(t.Context()); {
		n++
	}
	assert.GreaterOrEqual(t, n, 3, "keys of the quota, the token and the event")
	require.Error(t, redis.NewClient(&redis.Options{Addr: server.addr, MaxRetries: -1}).Ping(t.Context()).Err(), "without TLS")
}

// Sentinel makes a replica the master when the master dies. No call fails meanwhile.
func TestSentinelFailsOver(t *testing.T) {
	t.Parallel()
	master := startRedis(t, "--repl-diskless-sync-delay", "0")
	host, port, _ := strings.Cut(master.addr, ":")
	replica := startRedis(t, "--replicaof", host, port)
	sentinel := startSentinel(t, "quota", master.addr)
	account := newAccount()
	allow(t, master, account, aclOfANode)
	allow(t, replica, account, aclOfANode)
	allow(t, sentinel, account, aclOfASentinel)
	rdb := redis.NewFailoverClient(&redis.FailoverOptions{
		MasterName: "quota", SentinelAddrs: []string{sentinel.addr}, SentinelUsername: "mid", SentinelPassword: "PASSWORD",
		Username: "mid", Password: "PASSWORD",
	})
	t.Cleanup(func() { _ = rdb.Close() })
	require.Eventually(t, func() bool {
		replicas, err := redis.NewSentinelClient(&redis.Options{Addr: sentinel.addr}).Replicas(t.Context(), "quota").Result()
		return err == nil && len(replicas) == 1 && master.client(t).Do(t.Context(), "WAIT", 1, 100).Val() == int64(1)
	}, 30*time.Second, 100*time.Millisecond, "the sentinel knows no replica")

	m := newMember(t, rdb, account)
	m.calls(t)
	require.Equal(t, http.StatusNoContent, m.event(t))
	master.stop()
	m.calls(t)
	m.sharesAgain(t)
	m.saidOnce(t)
}

// A cluster of six: the keys of an account are on one node, and the death of that
// node is outlived.
func TestCluster(t *testing.T) {
	t.Parallel()
	cluster := startCluster(t, 6)
	rdb := cluster.client(t)
	t.Run("EventStore", func(t *testing.T) {
		midtest.TestEventStore(t, func(t *testing.T) mid.EventStore { return newStore(t, rdb, newAccount(), generous) })
	})
	t.Run("Notifier", func(t *testing.T) {
		midtest.TestNotifier(t, func(t *testing.T) mid.Notifier { return newNotifier(t, cluster.client(t), newAccount()) })
	})
	t.Run("TokenCache", func(t *testing.T) {
		midtest.TestTokenCache(t, func(t *testing.T) mid.TokenCache { return newCache(t, rdb, newAccount(), generous) })
	})
	t.Run("Limiter", func(t *testing.T) {
		midtest.TestLimiter(t, func(t *testing.T) mid.Limiter {
			return newLimiter(t, rdb, newAccount(), mid.Plan{RequestsPerMinute: 12000, Burst: 300}, generous)
		})
	})
	t.Run("a user with the documented rights", func(t *testing.T) {
		account := newAccount()
		for _, node := range cluster {
			allow(t, node, account, aclOfANode)
			allow(t, node, account, aclOfAClusterNode)
		}
		rdb := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{cluster[0].addr}, Username: "mid", Password: "PASSWORD"})
		defer rdb.Close()
		isEnough(t, rdb, account)
	})
	account := newAccount()
	m := newMember(t, rdb, account)
	m.calls(t)
	require.Equal(t, http.StatusNoContent, m.event(t))
	require.Empty(t, m.log.String())

	master, err := rdb.MasterForKey(t.Context(), "mid:{"+account+"}:quota")
	require.NoError(t, err)
	cluster.stop(master.Options().Addr)
	m.calls(t)
	m.sharesAgain(t)
	m.saidOnce(t)
}

// A Redis client that was closed is one more way to fail: calls go on.
func TestClosedRedisClient(t *testing.T) {
	rdb := sharedRedis(t).client(t)
	m := newMember(t, rdb, newAccount())
	m.calls(t)
	require.NoError(t, rdb.Close())
	require.ErrorIs(t, rdb.Ping(t.Context()).Err(), redis.ErrClosed)
	m.goesByItself(t)
}
