package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"time"
)

// redisServer is one that was found, or one that this program runs.
type redisServer struct {
	addr string
	dir  string
	cmd  *exec.Cmd // nil for one that was found
}

// findRedis returns the server at the usual address, or starts one.
func findRedis(ctx context.Context) (*redisServer, error) {
	if answers(ctx, "127.0.0.1:6379") {
		return &redisServer{addr: "127.0.0.1:6379"}, nil
	}
	if _, err := exec.LookPath("redis-server"); err != nil {
		return nil, errors.New("no Redis answers at 127.0.0.1:6379, and redis-server is not installed: apt-get install redis-server")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &redisServer{addr: listener.Addr().String()}
	if err := listener.Close(); err != nil {
		return nil, err
	}
	if s.dir, err = os.MkdirTemp("", "mid-fleet-"); err != nil {
		return nil, err
	}
	return s, s.start(ctx)
}

// start starts the server with what it has on its disk.
func (s *redisServer) start(ctx context.Context) error {
	_, port, err := net.SplitHostPort(s.addr)
	if err != nil {
		return err
	}
	s.cmd = exec.Command("redis-server", "--port", port, "--bind", "127.0.0.1", "--dir", s.dir, "--save", "", "--appendonly", "yes")
	if err := s.cmd.Start(); err != nil {
		return err
	}
	for range 250 {
		if answers(ctx, s.addr) {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	s.stop()
	return fmt.Errorf("redis-server does not answer at %s", s.addr)
}

// stop ends a server that this program runs.
func (s *redisServer) stop() {
	if s.cmd != nil && s.cmd.ProcessState == nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait() // its status says that it was killed
	}
}

func (s *redisServer) close() {
	s.stop()
	if s.dir != "" {
		_ = os.RemoveAll(s.dir)
	}
}

func answers(ctx context.Context, addr string) bool {
	conn, err := (&net.Dialer{Timeout: 200 * time.Millisecond}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return false
	}
	return conn.Close() == nil
}
