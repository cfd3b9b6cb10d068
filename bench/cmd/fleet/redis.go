package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"time"

	"github.com/redis/go-redis/v9"
)

// redisServer is one that this program runs, on a free port of loopback. It keeps
// nothing on the disk.
type redisServer struct {
	addr    string
	version string
	dir     string
	cmd     *exec.Cmd
}

// startRedis starts a server, which has to be stopped.
func startRedis(ctx context.Context) (*redisServer, error) {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, fmt.Errorf("redis-server is missing (apt-get install redis-server): %w", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &redisServer{addr: listener.Addr().String()}
	if err := listener.Close(); err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(s.addr)
	if err != nil {
		return nil, err
	}
	if s.dir, err = os.MkdirTemp("", "mid-bench-fleet-"); err != nil {
		return nil, err
	}
	s.cmd = exec.Command(program, "--port", port, "--bind", "127.0.0.1", "--dir", s.dir, "--save", "")
	if err := s.cmd.Start(); err != nil {
		_ = os.RemoveAll(s.dir)
		return nil, err
	}
	if err := s.awaitAnswer(ctx); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

func (s *redisServer) awaitAnswer(ctx context.Context) error {
	rdb := redis.NewClient(&redis.Options{Addr: s.addr, MaxRetries: -1})
	defer func() { _ = rdb.Close() }() // it has nothing left to send
	var err error
	for range 500 {
		var info map[string]map[string]string
		if info, err = rdb.InfoMap(ctx, "server").Result(); err == nil {
			s.version = info["Server"]["redis_version"]
			return nil
		}
		if err := sleep(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	return fmt.Errorf("redis-server does not answer at %s: %w", s.addr, err)
}

// stop ends the process that startRedis has started, and only that.
func (s *redisServer) stop() {
	_ = s.cmd.Process.Kill() // it may have ended by itself
	_ = s.cmd.Wait()         // its status says that it was killed
	_ = os.RemoveAll(s.dir)
}
