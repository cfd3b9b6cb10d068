package midredis_test

import (
	"context"
	"crypto/tls"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go/midredis"
)

// redisServer is a real one that a test runs.
type redisServer struct {
	addr   string
	config string      // a file, or ""
	tls    *tls.Config // nil without TLS
	args   []string
	cmd    *exec.Cmd
}

// startRedis starts a server that the test stops. It has a port of its own and
// keeps nothing on a disk.
func startRedis(t *testing.T, args ...string) *redisServer {
	t.Helper()
	s := &redisServer{addr: freeAddr(t), args: args}
	s.start(t)
	t.Cleanup(s.stop)
	return s
}

// start starts the server, empty, on the port that it had before.
func (s *redisServer) start(t *testing.T) {
	t.Helper()
	require.NoError(t, s.run(t))
}

func (s *redisServer) run(t *testing.T) error {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		const install = "redis-server is missing: apt-get install redis-server"
		if os.Getenv("MID_E2E") == "required" {
			t.Fatal(install)
		}
		t.Skip(install)
	}
	_, port, err := net.SplitHostPort(s.addr)
	if err != nil {
		return err
	}
	args := []string{"--bind", "127.0.0.1", "--save", "", "--dir", t.TempDir(), "--port"}
	switch {
	case s.config != "": // which comes first; and a sentinel has its own options
		args = []string{s.config, "--bind", "127.0.0.1", "--port", port}
	case s.tls != nil:
		args = append(args, "0", "--tls-port", port)
	default:
		args = append(args, port)
	}
	s.cmd = exec.Command(program, append(args, s.args...)...)
	if err := s.cmd.Start(); err != nil {
		return err
	}
	rdb := redis.NewClient(&redis.Options{Addr: s.addr, TLSConfig: s.tls, MaxRetries: -1})
	defer rdb.Close()
	for range 500 {
		if err = rdb.Ping(context.Background()).Err(); err == nil {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return err
}

// stop ends the process that the test started, and only that.
func (s *redisServer) stop() {
	if s.cmd.ProcessState == nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait() // its status says that it was killed
	}
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

// client returns a connection pool as another process would have it.
func (s *redisServer) client(t *testing.T) *redis.Client {
	t.Helper()
	rdb := redis.NewClient(&redis.Options{Addr: s.addr, TLSConfig: s.tls})
	t.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

// shared is the server of all tests that leave it as it is.
var shared struct {
	mu     sync.Mutex
	server *redisServer
}

func sharedRedis(t *testing.T) *redisServer {
	t.Helper()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.server == nil {
		s := &redisServer{addr: freeAddr(t)}
		s.start(t)
		shared.server = s
	}
	return shared.server
}

func stopSharedRedis() {
	if shared.server != nil {
		shared.server.stop()
	}
}

var accounts struct {
	sync.Mutex
	n int
}

// newAccount is one that no other test uses.
func newAccount() string {
	accounts.Lock()
	defer accounts.Unlock()
	accounts.n++
	return "client-" + strconv.Itoa(accounts.n)
}

// generous is for machines that are busy with other tests.
var generous = midredis.WithTimeout(5 * time.Second)
